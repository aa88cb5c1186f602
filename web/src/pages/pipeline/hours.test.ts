import { expect, test } from "vitest";
import { busiest, gridOf, weekdayName } from "./hours";

const counts = [
  { weekday: 1, hour: 9, count: 2 },
  { weekday: 7, hour: 23, count: 5 },
];

test("each hour of the week has a cell, those without a view too", () => {
  const grid = gridOf(counts);
  expect(grid.map((days) => days.length)).toEqual(Array.from({ length: 24 }, () => 7));
  expect(grid[9]?.[0]).toEqual(counts[0]);
  expect(grid[23]?.[6]).toEqual(counts[1]);
  expect(grid.flat().reduce((sum, { count }) => sum + count, 0)).toBe(7);
});

test("the first day is Monday", () => {
  expect([weekdayName(1, "long"), weekdayName(7, "short")]).toEqual(["Monday", "Sun"]);
});

test("the busiest hour has most views", () => {
  expect(busiest(counts)).toEqual(counts[1]);
  expect(busiest([])).toBeUndefined();
});
