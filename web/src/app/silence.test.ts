import { expect, test } from "vitest";
import { isSilent } from "./silence";

const silent = (lastDeliveryAt: string | null, now: string, hours = 24, configured = true, zone = "UTC") =>
  isSilent({ configured, lastDeliveryAt }, hours, Date.parse(now), zone);

test("a vendor is silent after the hours of workdays alone", () => {
  // 2026-03-06 is a Friday.
  expect(silent("2026-03-05T12:00:00Z", "2026-03-06T12:00:00Z")).toBe(false);
  expect(silent("2026-03-05T12:00:00Z", "2026-03-06T12:00:01Z")).toBe(true);
  expect(silent("2026-03-06T12:00:00Z", "2026-03-08T23:59:00Z")).toBe(false);
  expect(silent("2026-03-06T12:00:00Z", "2026-03-09T12:00:00Z")).toBe(false);
  expect(silent("2026-03-06T12:00:00Z", "2026-03-09T12:00:01Z")).toBe(true);
  expect(silent("2026-03-07T12:00:00Z", "2026-03-08T12:00:00Z", 4)).toBe(false);
  expect(silent("2025-01-01T12:00:00Z", "2026-03-08T12:00:00Z", 72)).toBe(true);
});

test("the calendar is that of the zone", () => {
  // Monday 01:00 in Tokyo is Sunday in UTC.
  expect(silent("2026-03-06T15:00:00Z", "2026-03-08T20:00:00Z", 4, true, "Asia/Tokyo")).toBe(true);
  expect(silent("2026-03-06T15:00:00Z", "2026-03-08T20:00:00Z", 10)).toBe(false);
});

test("a vendor that is not set up, or that never delivered, is not silent; nor is one with the alert off", () => {
  expect(silent("2026-03-02T12:00:00Z", "2026-03-06T12:00:00Z", 24, false)).toBe(false);
  expect(silent(null, "2026-03-06T12:00:00Z")).toBe(false);
  expect(silent("2026-03-02T12:00:00Z", "2026-03-06T12:00:00Z", 0)).toBe(false);
});
