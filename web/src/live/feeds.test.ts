import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EventFilter } from "../gql/graphql";
import { acquireFeed, type EventRow } from "./feeds";

vi.mock(import("./connection"), async (original) => ({ ...(await original()), subscribe: () => () => {} }));

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
