import { expect, test } from "vitest";
import { pointsOf, sumOf } from "./steps";

const bucket = (start: string, created: number, viewed: number | null = 0) => ({
  start,
  created,
  sent: 0,
  viewed,
  accepted: 0,
});

test("vendors are summed, and one that tells no views adds none", () => {
  const arcsite = { created: 1, sent: 2, viewed: null, accepted: 1 };
  expect(sumOf([arcsite, { created: 3, sent: 1, viewed: 2, accepted: 0 }])).toEqual({
    created: 4,
    sent: 3,
    viewed: 2,
    accepted: 1,
  });
});

test("a month without a proposal has zeros, and both vendors of a month are one point", () => {
  const months = [
    bucket("2026-01-01T07:00:00Z", 4, null),
    bucket("2026-01-01T07:00:00Z", 2, 1),
    // The clocks have changed.
    bucket("2026-04-01T06:00:00Z", 5),
  ];
  const points = pointsOf(months, "MONTH", "America/Denver");
  expect(points.map(({ start, created }) => `${start.toISOString().slice(0, 13)} ${created}`)).toEqual([
    "2026-01-01T07 6",
    "2026-02-01T07 0",
    "2026-03-01T07 0",
    "2026-04-01T06 5",
  ]);
  expect(points[0]?.viewed).toBe(1);
});

test("weeks follow each other over a change of the clocks, and the newest ones are kept", () => {
  const weeks = [bucket("2025-03-03T05:00:00Z", 1), bucket("2026-03-09T04:00:00Z", 2)];
  const points = pointsOf(weeks, "WEEK", "America/New_York");
  expect(points).toHaveLength(26);
  expect(points.at(-1)).toMatchObject({ created: 2 });
  expect(points.at(-2)).toMatchObject({ start: new Date("2026-03-02T05:00:00Z"), created: 0 });
});

test("without a proposal there is no point", () => {
  expect(pointsOf([], "MONTH", "UTC")).toEqual([]);
});
