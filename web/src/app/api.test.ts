import { afterEach, expect, test, vi } from "vitest";
import { currentApi } from "./api";

afterEach(() => {
  vi.useRealTimers();
});

test("a page that stays open keeps the answers of one day", () => {
  vi.useFakeTimers({ now: new Date("2026-03-02T00:00:00Z") });
  const first = currentApi();
  vi.setSystemTime(new Date("2026-03-02T23:59:59Z"));
  expect(currentApi()).toBe(first);
  vi.setSystemTime(new Date("2026-03-03T00:00:00Z"));
  expect(currentApi()).not.toBe(first);
});
