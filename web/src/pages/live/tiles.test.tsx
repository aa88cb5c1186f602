import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeService } from "../../app/fake-service";
import { preferences } from "../../app/preferences";
import { Tiles } from "./tiles";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-03-02T18:00:00Z") });
  preferences.set({ times: "UTC" });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("the tiles count from today's midnight after a night's sleep of the machine", async () => {
  const service = fakeService();
  render(service.frame(<Tiles />));
  const later = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds));
  await later(10);
  vi.setSystemTime(new Date("2026-03-03T08:00:00Z"));
  await later(30_000);
  expect(service.requests.map(({ variables }) => variables.from)).toEqual([
    "2026-03-02T00:00:00.000Z",
    "2026-03-03T00:00:00.000Z",
  ]);
});

test("tiles that could not be counted say so", async () => {
  const service = fakeService();
  render(service.frame(<Tiles />));
  const later = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds));
  await later(10);
  service.answer(() => new TypeError("Failed to fetch"));
  await later(10);
  expect(screen.getByRole("status").textContent).toContain("Newer data could not be fetched");
});
