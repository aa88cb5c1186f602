import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { preferences } from "../app/preferences";
import { Feed, type Sink } from "./feed";
import type { EventFeed, EventRow } from "./feeds";
import { StateLine } from "./state-line";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const row = (number: number, kind: EventRow["kind"] = "PROPOSAL_ACCEPTED") =>
  ({
    __typename: "UnrecognizedEvent",
    id: `event:${number}`,
    cursor: `c${number}`,
    kind,
    receivedAt: "2026-03-02T09:00:00Z",
  }) as EventRow;

function setup() {
  const state = { sink: undefined as Sink<EventRow> | undefined };
  const feed: EventFeed = new Feed<EventRow>({
    load: () => Promise.resolve({ events: [], cursor: "c0" }),
    subscribe: (_variables, sink) => {
      state.sink = sink;
      return () => {};
    },
    now: () => Date.parse("2026-03-02T09:00:00Z"),
    schedule: (publish) => publish(),
    later: () => () => {},
    isSignedOut: () => false,
  });
  render(<StateLine feed={feed} canPause />);
  return { feed, state, line: screen.getByTestId("state") };
}

const page = (numbers: number[], caughtUp = true) => ({
  cursor: "c9",
  caughtUp,
  events: numbers.map((number) => row(number)),
});

test("the line says each state in words, with an attribute for it", async () => {
  const { feed, state, line } = setup();
  expect([line.dataset.state, line.textContent]).toEqual(["connecting", "Connecting…"]);
  feed.start();
  await act(async () => {});
  act(() => state.sink?.next(page([1, 2], false)));
  expect([line.dataset.state, line.textContent]).toEqual(["catching-up", "Catching up: 2 events"]);
  act(() => state.sink?.next(page([])));
  expect(line.dataset.state).toBe("live");
  expect(line.textContent).toMatch(/^Live · last event .*Pause$/);
  act(() => screen.getByRole("button", { name: "Pause" }).click());
  act(() => state.sink?.next(page([3])));
  expect(line.dataset.state).toBe("paused");
  expect(line.textContent).toMatch(/^Paused .*, 1 new, 1 of them acceptedResume$/);
  act(() => feed.connectionLost("The service is stopping.", Date.now() + 60_000));
  expect(line.dataset.state).toBe("reconnecting");
  expect(line.textContent).toMatch(/^Connection lost .*, again in \d+ s · The service is stopping\.Try now$/);
  act(() => state.sink?.failed("load", "an internal error"));
  expect(line.textContent).toMatch(/^Loading failed .*, again in \d+ s · an internal errorTry now$/);
  act(() => feed.retry());
  act(() => state.sink?.failed("signed-out", ""));
  expect([line.dataset.state, line.textContent]).toEqual(["signed-out", "Signed out"]);
});

test("the last event of yesterday has its day after midnight", async () => {
  vi.useFakeTimers({ now: new Date("2026-03-02T23:59:00Z") });
  preferences.set({ times: "UTC" });
  const { feed, state, line } = setup();
  feed.start();
  await act(() => vi.advanceTimersByTimeAsync(10));
  act(() => state.sink?.next(page([1])));
  expect(line.textContent).not.toContain("Mar");
  act(() => vi.advanceTimersByTime(90_000));
  expect(line.textContent).toMatch(/last event .*Mar/);
});
