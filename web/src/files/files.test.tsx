import { act, cleanup, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeService } from "../app/fake-service";
import { Files } from "./files";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-03-02T18:00:00Z") });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const stored = {
  __typename: "StoredFile",
  id: "file:1",
  kind: "PDF",
  name: "fence.pdf",
  state: "STORED",
  url: "http://bidarc.test/files/1?until=1",
  thumbnailUrl: null,
  sizeBytes: 12,
  storedAt: "2026-03-02T17:00:00Z",
  expiresAt: null,
  problem: null,
};

test("the URLs of files are renewed each half hour and after a sleep of the machine", async () => {
  const service = fakeService();
  render(service.frame(<Files ids={["file:1"]} owner={undefined} />));
  const later = async (milliseconds: number) => {
    await act(() => vi.advanceTimersByTimeAsync(milliseconds));
    service.answer(() => ({ nodes: [stored] }));
    await act(() => vi.advanceTimersByTimeAsync(10));
  };
  await later(10);
  expect(service.requests).toHaveLength(1);
  await later(30 * 60_000);
  expect(service.requests).toHaveLength(2);
  vi.setSystemTime(new Date("2026-03-02T20:10:00Z"));
  await later(30_000);
  expect(service.requests).toHaveLength(3);
});
