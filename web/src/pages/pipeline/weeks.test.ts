import { expect, test } from "vitest";
import { weeksAt } from "./weeks";

const at = (text: string, zone: string) => {
  const { thisWeek, lastWeek } = weeksAt(Date.parse(text), zone);
  return [lastWeek, thisWeek].map((time) => time.replace(":00.000Z", ""));
};

test("a week begins on Monday by the clocks of the zone", () => {
  expect(at("2026-03-05T12:00:00Z", "UTC")).toEqual(["2026-02-23T00:00", "2026-03-02T00:00"]);
  expect(at("2026-03-02T00:00:00Z", "UTC")).toEqual(["2026-02-23T00:00", "2026-03-02T00:00"]);
  expect(at("2026-03-01T23:59:00Z", "UTC")).toEqual(["2026-02-16T00:00", "2026-02-23T00:00"]);
  // Monday has begun in Kolkata, and not in Denver.
  expect(at("2026-03-01T19:00:00Z", "Asia/Kolkata")).toEqual(["2026-02-22T18:30", "2026-03-01T18:30"]);
  expect(at("2026-03-02T06:30:00Z", "America/Denver")).toEqual(["2026-02-16T07:00", "2026-02-23T07:00"]);
});

test("a week in which the clocks change has another length", () => {
  expect(at("2026-03-10T12:00:00Z", "America/Denver")).toEqual(["2026-03-02T07:00", "2026-03-09T06:00"]);
});
