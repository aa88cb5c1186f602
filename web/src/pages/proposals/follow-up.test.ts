import { expect, test } from "vitest";
import { followUpFilter, isFollowUp } from "./follow-up";

const moment = Date.UTC(2026, 2, 10, 12);

test("a proposal is due 48 hours after it was sent, or a week after it was viewed", () => {
  expect(followUpFilter("not-viewed", moment)).toEqual({
    status: ["PENDING"],
    viewed: false,
    sentBefore: "2026-03-08T12:00:00.000Z",
  });
  expect(followUpFilter("not-answered", moment)).toEqual({
    status: ["PENDING", "VIEWED"],
    viewedBefore: "2026-03-03T12:00:00.000Z",
  });
});

test("only the names of the list are follow-ups", () => {
  expect(["not-viewed", "not-answered", "", "toString"].map(isFollowUp)).toEqual([true, true, false, false]);
});
