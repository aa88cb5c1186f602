import { expect, test } from "vitest";
import { isZone, startOfDay } from "./zone";

test("a day begins by the clocks of its zone, also where they change at midnight", () => {
  const begins = (day: string, zone: string) => startOfDay(day, zone).toISOString();
  expect(begins("2026-03-02", "UTC")).toBe("2026-03-02T00:00:00.000Z");
  expect(begins("2026-03-02", "Europe/Berlin")).toBe("2026-03-01T23:00:00.000Z");
  expect(begins("2026-07-02", "America/New_York")).toBe("2026-07-02T04:00:00.000Z");
  // The clocks of this day go from 23:59 to 1:00.
  expect(begins("2026-03-29", "Asia/Beirut")).toBe("2026-03-28T22:00:00.000Z");
});

test("a zone that the browser does not know is told apart", () => {
  expect(["Europe/Berlin", "UTC", "Mars/Olympus", ""].map(isZone)).toEqual([true, true, false, false]);
});
