import { expect, test } from "vitest";
import { sumOf, weeksAt } from "./weeks";

test("a week begins on Monday", () => {
  for (const day of [2, 5, 8]) {
    const { thisWeek, lastWeek } = weeksAt(new Date(2026, 2, day, 15));
    expect([new Date(thisWeek).getDate(), new Date(lastWeek).getDate()]).toEqual([2, 23]);
    expect([new Date(thisWeek).getDay(), new Date(thisWeek).getHours()]).toEqual([1, 0]);
  }
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
