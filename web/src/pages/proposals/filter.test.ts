import { expect, test } from "vitest";
import { parseFilter } from "./filter";

const parse = (query: string) => parseFilter(new URLSearchParams(query), Date.UTC(2026, 2, 10));

test("each condition of the URL is one of the filter, in words too", () => {
  expect(parse("status=accepted&vendor=bidsketch&name=deck")).toEqual({
    filter: { status: ["ACCEPTED"], provider: ["BIDSKETCH"], nameContains: "deck" },
    words: ["Accepted", "Bidsketch", "“deck” in the name"],
  });
  expect(parse("status=toString&vendor=x&order=name")).toEqual({ filter: {}, words: [] });
});

test("a follow-up has its status, and other conditions stay", () => {
  expect(parse("follow-up=not-viewed&status=accepted&name=deck")).toEqual({
    filter: { status: ["PENDING"], viewed: false, sentBefore: "2026-03-08T00:00:00.000Z", nameContains: "deck" },
    words: ["Sent, not viewed for 48 hours", "“deck” in the name"],
  });
});
