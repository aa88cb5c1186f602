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
});

const filter = (vendorType: string): EventFilter => ({ vendorType: [vendorType] });

/** The cursor of a feed whose place the page saved before it was shown again. */
function cursorOf(vendorType: string) {
  const [feed, release] = acquireFeed(filter(vendorType));
  release();
  return feed.save()?.cursor;
}

test("a feed goes on from its saved place only soon after the page is shown", () => {
  const event = { id: "event:1" } as EventRow;
  const saved = { items: [{ type: "event", id: event.id, event }], cursor: "c1", leftAt: Date.now() };
  for (const vendorType of ["soon", "late"])
    sessionStorage.setItem(`bidarc.feed.${JSON.stringify(filter(vendorType))}`, JSON.stringify(saved));
  dispatchEvent(new Event("pageshow"));
  vi.advanceTimersByTime(5000);
  expect(cursorOf("soon")).toBe("c1");
  vi.advanceTimersByTime(10_800_000);
  expect(cursorOf("late")).toBeUndefined();
  expect(sessionStorage).toHaveLength(0);
});
