import { act, cleanup, render } from "@testing-library/react";
import { memo } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { preferences } from "../app/preferences";
import { useQuarter } from "./clock";
import { Time } from "./ui";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-03-02T23:59:00Z") });
  preferences.set({ times: "UTC" });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

/** The machine sleeps: its clock goes on and its timers do not. */
const sleepUntil = (time: string) => vi.setSystemTime(new Date(time));

test("a time of yesterday has its day although nothing else renders it again", () => {
  const Row = memo(() => <Time at="2026-03-02T16:45:00Z" />);
  const { container } = render(<Row />);
  expect(container.textContent).not.toContain("Mar");
  act(() => vi.advanceTimersByTime(90_000));
  expect(container.textContent).toContain("Mar");
});

test("a period begins at its start also when the next one begins while it is read", () => {
  const quarters = new Set<string>();
  let now = Date.parse("2026-03-02T23:59:59.999Z");
  vi.spyOn(Date, "now").mockImplementation(() => now++);
  const Quarter = () => {
    quarters.add(new Date(useQuarter()).toISOString());
    return null;
  };
  render(<Quarter />);
  vi.mocked(Date.now).mockRestore();
  expect([...quarters]).toEqual(["2026-03-02T23:45:00.000Z", "2026-03-03T00:00:00.000Z"]);
});

test("a machine that wakes shows the quarter of now within half a minute or when it is looked at", () => {
  const Quarter = () => new Date(useQuarter()).toISOString();
  const { container } = render(<Quarter />);
  expect(container.textContent).toBe("2026-03-02T23:45:00.000Z");
  sleepUntil("2026-03-03T08:16:00Z");
  act(() => vi.advanceTimersByTime(30_000));
  expect(container.textContent).toBe("2026-03-03T08:15:00.000Z");
  sleepUntil("2026-03-03T09:01:00Z");
  act(() => document.dispatchEvent(new Event("visibilitychange")));
  expect(container.textContent).toBe("2026-03-03T09:00:00.000Z");
});
