import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { fakeService } from "../../app/fake-service";
import type { EventFilter } from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { EventsPage } from "./history";

const feeds = new Map<string, (events: readonly EventRow[]) => void>();

vi.mock("../../live/use-feed", () => {
  const made = new Map<string, object>();
  const useFeed = (filter: EventFilter | null) => {
    const key = JSON.stringify(filter);
    const feed = made.get(key) ?? {
      follow: (follower: (events: readonly EventRow[]) => void) => {
        feeds.set(key, follower);
        return () => feeds.delete(key);
      },
    };
    made.set(key, feed);
    return feed;
  };
  return { useFeed, usePulse: () => undefined, useSnapshot: () => ({ phase: "live" }) };
});

afterEach(() => {
  cleanup();
  history.replaceState(null, "", "/");
});

const settle = () => act(() => new Promise((resolve) => setTimeout(resolve, 10)));

const row = (number: number) =>
  ({
    __typename: "UnrecognizedEvent",
    id: `event:${number}`,
    kind: "UNRECOGNIZED",
    provider: "BIDSKETCH",
    receivedAt: "2026-03-02T09:00:00Z",
    vendorTypes: [],
  }) as unknown as EventRow;

const answerOf = (numbers: number[], endCursor: string | null) => ({
  events: {
    __typename: "EventConnection",
    nodes: numbers.map(row),
    pageInfo: { __typename: "PageInfo", hasNextPage: endCursor !== null, endCursor },
  },
});

const shown = () => [...document.querySelectorAll<HTMLElement>("tr[data-event]")].map(({ dataset }) => dataset.event);

function setup() {
  const service = fakeService();
  render(service.frame(<EventsPage />));
  return {
    click: (name: string) => act(() => screen.getByRole("button", { name }).click()),
    answer: async (numbers: number[], endCursor: string | null) => {
      await settle();
      service.answer(() => answerOf(numbers, endCursor));
      await settle();
    },
  };
}

test("older events are added once their page is here", async () => {
  const page = setup();
  await page.answer([4, 3], "c3");
  page.click("Older events");
  expect(shown()).toEqual(["event:4", "event:3"]);
  await page.answer([2, 1], null);
  expect(shown()).toEqual(["event:4", "event:3", "event:2", "event:1"]);
  expect(screen.getByText("This is the first event of the log.")).toBeTruthy();
});

test("newer events are offered where one matches and until it is shown", async () => {
  history.replaceState(null, "", "/events?vendor=bidsketch");
  const page = setup();
  await page.answer([4, 3], null);
  expect([...feeds.keys()]).toEqual(['{"provider":["BIDSKETCH"]}']);
  const arrive = (numbers: number[]) => act(() => feeds.values().next().value?.(numbers.map(row)));
  arrive([]);
  arrive([4]);
  expect(screen.queryByRole("button", { name: "Show newer events" })).toBeNull();
  arrive([5]);
  page.click("Show newer events");
  await page.answer([5, 4, 3], null);
  expect(shown()).toEqual(["event:5", "event:4", "event:3"]);
  expect(screen.queryByRole("button", { name: "Show newer events" })).toBeNull();
});
