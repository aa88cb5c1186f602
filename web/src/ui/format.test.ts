import { expect, test } from "vitest";
import { counted, duration, longTime, money, shortTime } from "./format";

test("durations are in the two largest units", () => {
  expect([0, 4000, 60_000, 192_000, 7_500_000, 7_200_000, 400_000_000].map(duration)).toEqual([
    "0 s",
    "4 s",
    "1 min",
    "3 min 12 s",
    "2 h 5 min",
    "2 h",
    "4 days",
  ]);
});

test("amounts keep every digit", () => {
  expect(money("9007199254740993.25", null).replaceAll(/\D/g, "")).toBe("900719925474099325");
  expect(money("7385.00", "USD")).toContain("7,385.00");
  expect(money("12.50", "not a currency")).toBe("12.50 not a currency");
});

test("a time of another day has its day, and every long one its zone", () => {
  const at = new Date("2026-03-02T14:03:12Z");
  expect(shortTime(at, "UTC", new Date("2026-03-02T20:00:00Z"))).toContain("03:12");
  expect(shortTime(at, "UTC", new Date("2026-03-03T20:00:00Z"))).toContain("Mar");
  expect(longTime(at, "UTC")).toContain("UTC");
});

test("counts agree with their noun", () => {
  expect([counted(1, "event"), counted(12, "event")]).toEqual(["1 event", "12 events"]);
});
