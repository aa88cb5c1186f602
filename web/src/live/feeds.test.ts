import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EventFilter, LiveFeedSubscription } from "../gql/graphql";
import { acquireFeed, type EventRow } from "./feeds";
import type { SubscriptionSink } from "./socket";

/** The subscriptions of the feeds, each by where its messages go. */
const sinks = vi.hoisted((): SubscriptionSink<LiveFeedSubscription>[] => []);

vi.mock(import("./connection"), async (original) => ({
  ...(await original()),
  subscribe: (_document, _variables, sink) => {
    sinks.push(sink as unknown as SubscriptionSink<LiveFeedSubscription>);
    return () => {};
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", () => new Promise(() => {}));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const filter = (vendorType: string): EventFilter => ({ vendorType: [vendorType] });

const keyOf = (vendorType: string) => `bidarc.feed.${JSON.stringify(filter(vendorType))}`;

/** Saves a place as a page does before a reload. */
function save(vendorType: string) {
  const event = { id: "event:1" } as EventRow;
  const saved = { items: [{ type: "event", id: event.id, event }], cursor: "c1", leftAt: Date.now() };
  sessionStorage.setItem(keyOf(vendorType), JSON.stringify(saved));
}

/** The cursor of a feed whose place the page saved before it was shown again. */
function cursorOf(vendorType: string) {
  const [feed, release] = acquireFeed(filter(vendorType));
  release();
  return feed.save()?.cursor;
}

test("a feed goes on from its saved place only soon after the page is shown", () => {
  for (const vendorType of ["soon", "late"]) save(vendorType);
  dispatchEvent(new Event("pageshow"));
  vi.advanceTimersByTime(5000);
  expect(cursorOf("soon")).toBe("c1");
  vi.advanceTimersByTime(10_800_000);
  expect(cursorOf("late")).toBeUndefined();
  expect(sessionStorage).toHaveLength(0);
});

test("a place that the browser does not store keeps no other from being stored", () => {
  const releases = ["first", "second"].map((vendorType) => {
    save(vendorType);
    return acquireFeed(filter(vendorType))[1];
  });
  const stored: string[] = [];
  vi.stubGlobal("sessionStorage", {
    setItem: (key: string) => {
      if (key === keyOf("first")) throw new DOMException("full", "QuotaExceededError");
      stored.push(key);
    },
  });
  dispatchEvent(new Event("pagehide"));
  expect(stored).toEqual([keyOf("second")]);
  for (const release of releases) release();
});

test.each([
  [
    "INTERNAL",
    [
      ["event:3", "no proposal"],
      ["event:2", undefined],
      ["event:1", undefined],
    ],
  ],
  ["UNAVAILABLE", [["event:1", undefined]]],
])("after three times a page with the error %s has these events with these problems", (code, rows) => {
  save(code);
  const [feed, release] = acquireFeed(filter(code));
  const events = [{ id: "event:2" }, { id: "event:3" }] as EventRow[];
  const error = { message: "no proposal", path: ["eventFeed", "events", 1, "proposal"], extensions: { code } };
  for (const _ of ["first", "second", "third"]) {
    sinks.at(-1)?.errors([error], false, { eventFeed: { cursor: "c3", caughtUp: true, events } });
    feed.retry();
  }
  const shown = feed.save()?.items.filter((item) => item.type === "event") ?? [];
  expect(shown.map(({ event }) => [event.id, event.problem])).toEqual(rows);
  release();
});
