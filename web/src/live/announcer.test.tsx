import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "./announcer";
import { Feed, type Sink } from "./feed";
import type { EventFeed, EventRow } from "./feeds";

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-03-02T09:00:00Z") });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

async function live() {
  const state = { sink: undefined as Sink<EventRow> | undefined };
  const feed: EventFeed = new Feed<EventRow>({
    load: () => Promise.resolve({ events: [], cursor: "c0" }),
    subscribe: (_variables, sink) => {
      state.sink = sink;
      return () => {};
    },
    now: () => Date.now(),
    schedule: (publish) => publish(),
    later: () => () => {},
    isSignedOut: () => false,
  });
  feed.start();
  await act(async () => {});
  const catchUp = () => state.sink?.next({ cursor: "c1", caughtUp: true, events: [] });
  catchUp();
  const breakFor = (milliseconds: number) => {
    feed.connectionLost("The connection broke.");
    vi.advanceTimersByTime(milliseconds);
    catchUp();
  };
  return { feed, breakFor };
}

const said = () => screen.getByRole("status").textContent;

test("a break is announced once it is over, and not again when the page is opened later", async () => {
  const { feed, breakFor } = await live();
  const { unmount } = render(<Announcer feed={feed} />);
  act(() => breakFor(192_000));
  expect(said()).toBe("Connected again. Away 3 min 12 s, 0 events, all here");
  unmount();
  vi.advanceTimersByTime(3_600_000);
  // A page has its feed only after it is rendered for the first time.
  const { rerender } = render(<Announcer feed={undefined} />);
  rerender(<Announcer feed={feed} />);
  expect(said()).toBe("");
  act(() => breakFor(60_000));
  expect(said()).toBe("Connected again. Away 1 min, 0 events, all here");
});
