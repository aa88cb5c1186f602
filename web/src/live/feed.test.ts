import { describe, expect, test } from "vitest";
import { Feed, type FeedEvent, type Page, Refusal, type Saved, type Sink, type Variables } from "./feed";

const event = (number: number, kind = "PROPOSAL_VIEWED"): FeedEvent => ({
  id: `event:${number}`,
  cursor: `c${number}`,
  kind,
  receivedAt: `2026-03-02T09:00:${String(number % 60).padStart(2, "0")}Z`,
});
const events = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => event(from + index));
const page = (numbers: FeedEvent[], caughtUp = true): Page<FeedEvent> => ({
  events: numbers,
  caughtUp,
  cursor: numbers.at(-1)?.cursor ?? "c0",
});

function setup(
  options: { saved?: Saved<FeedEvent>; loads?: (() => Promise<{ events: FeedEvent[]; cursor: string }>)[] } = {},
) {
  const state = {
    now: 1000,
    sent: [] as Variables[],
    sink: undefined as Sink<FeedEvent> | undefined,
    ended: 0,
    retry: () => {},
    schedule: (publish: () => void) => publish(),
  };
  const loads = options.loads ?? [() => Promise.resolve({ events: [event(2), event(1)], cursor: "c2" })];
  const feed = new Feed<FeedEvent>({
    load: () => (loads.shift() ?? (() => Promise.reject(new Error("no more loads"))))(),
    subscribe: (variables, sink) => {
      state.sent.push({ ...variables });
      state.sink = sink;
      return () => {
        state.ended += 1;
      };
    },
    now: () => state.now,
    schedule: (publish) => state.schedule(publish),
    later: (run) => {
      state.retry = run;
      return () => {};
    },
    saved: options.saved,
    isSignedOut: (problem) => (problem as Error).message === "401",
    ringSize: 10,
  });
  const ids = () => feed.snapshot().items.map((item) => (item.type === "gap" ? `gap ${item.count}` : item.id.slice(6)));
  return { feed, state, ids };
}

async function live(options?: Parameters<typeof setup>[0]) {
  const test = setup(options);
  test.feed.start();
  await Promise.resolve();
  await Promise.resolve();
  test.state.sink?.next(page([]));
  return test;
}

describe("Feed", () => {
  test("loads, subscribes after the head of that load, and is live once caught up", async () => {
    const { feed, state, ids } = setup();
    feed.start();
    expect(feed.snapshot().phase).toBe("connecting");
    await Promise.resolve();
    await Promise.resolve();
    expect(state.sent).toEqual([{ after: "c2", pageSize: 100 }]);
    state.sink?.next(page(events(3, 4), false));
    expect(feed.snapshot().phase).toBe("catching-up");
    expect(feed.snapshot().caught).toBe(2);
    state.sink?.next(page(events(5, 5)));
    expect(feed.snapshot().phase).toBe("live");
    expect(ids()).toEqual(["5", "4", "3", "2", "1"]);
  });

  test("shows an event once that came between the head and the first rows", async () => {
    const { feed, state, ids } = setup({
      loads: [() => Promise.resolve({ events: [event(3), event(2), event(1)], cursor: "c2" })],
    });
    feed.start();
    await Promise.resolve();
    await Promise.resolve();
    state.sink?.next(page(events(3, 4)));
    expect(ids()).toEqual(["4", "3", "2", "1"]);
  });

  test("goes on with the line of a break that a reload has interrupted", async () => {
    const before = await live();
    before.feed.connectionLost("The connection broke.", 6000);
    before.state.sink?.next(page(events(3, 4), false));
    const { feed, state, ids } = setup({ saved: before.feed.save() as Saved<FeedEvent> });
    feed.start();
    state.sink?.next(page(events(5, 6)));
    expect(ids()).toEqual(["6", "5", "4", "3", "gap 4", "2", "1"]);
  });

  test("shows a break as one line, with its length and every event in it", async () => {
    const { feed, state, ids } = await live();
    state.sink?.next(page(events(3, 3)));
    state.now = 5000;
    feed.connectionLost("The connection broke.", 6000);
    expect(feed.snapshot()).toMatchObject({
      phase: "reconnecting",
      lostAt: 5000,
      retryAt: 6000,
      reason: "The connection broke.",
    });
    feed.connectionLost("The connection broke.", 8000);
    expect(feed.snapshot().lostAt).toBe(5000);
    state.now = 9000;
    state.sink?.next(page(events(4, 5), false));
    expect(ids()).toEqual(["5", "4", "gap 2", "3", "2", "1"]);
    expect(feed.snapshot()).toMatchObject({ phase: "catching-up", lastGap: undefined });
    state.now = 9500;
    state.sink?.next(page(events(6, 6)));
    expect(ids()).toEqual(["6", "5", "4", "gap 3", "3", "2", "1"]);
    expect(feed.snapshot()).toMatchObject({ phase: "live", lostAt: undefined });
    expect(feed.snapshot().lastGap).toMatchObject({ from: 5000, to: 9500, count: 3, isComplete: true });
    state.sink?.next(page(events(7, 7)));
    expect(ids()).toEqual(["7", "6", "5", "4", "gap 3", "3", "2", "1"]);
  });

  test("begins a break that had no sign when the service was last heard", async () => {
    const { feed, state } = await live();
    state.now = 3_601_000;
    feed.connectionLost("Nothing was heard.", undefined, 2000);
    expect(feed.snapshot().lostAt).toBe(2000);
    state.now = 3_602_000;
    state.sink?.next(page(events(3, 4)));
    expect(feed.snapshot().lastGap).toMatchObject({ from: 2000, to: 3_602_000, count: 2, isComplete: true });
  });

  test("shows a break in which nothing happened", async () => {
    const { feed, state, ids } = await live();
    feed.connectionLost("The connection broke.");
    state.now += 10_000;
    state.sink?.next(page([]));
    expect(ids()).toEqual(["gap 0", "2", "1"]);
  });

  test("shows no line for a short break in which nothing happened", async () => {
    const { feed, state, ids } = await live();
    feed.connectionLost("The connection broke.");
    state.sink?.next(page([], false));
    expect(ids()).toEqual(["gap 0", "2", "1"]);
    state.sink?.next(page([]));
    expect(ids()).toEqual(["2", "1"]);
    expect(feed.snapshot()).toMatchObject({ phase: "live", lastGap: { count: 0, isComplete: true } });
  });

  test("keeps and counts what arrives while paused, a break included", async () => {
    const { feed, state, ids } = await live();
    feed.pause();
    const byStatus = { ...event(4, "PROPOSAL_STATUS_CHANGED"), status: "ACCEPTED", previousStatus: "PENDING" } as const;
    state.sink?.next(page([event(3), byStatus]));
    feed.connectionLost("The connection broke.");
    expect(feed.snapshot().phase).toBe("reconnecting");
    state.sink?.next(page(events(5, 5), false));
    state.sink?.next(page(events(6, 6)));
    expect(feed.snapshot()).toMatchObject({ phase: "paused", held: { count: 4, accepted: 1 } });
    expect(ids()).toEqual(["2", "1"]);
    feed.resume();
    expect(ids()).toEqual(["6", "5", "gap 2", "4", "3", "2", "1"]);
    expect(feed.snapshot()).toMatchObject({ phase: "live", held: { count: 0, accepted: 0 } });
  });

  test("pauses and resumes by two presses within one frame", async () => {
    const { feed, state } = await live();
    let publish = () => {};
    state.schedule = (publishThen) => {
      publish = publishThen;
    };
    feed.togglePause();
    feed.togglePause();
    publish();
    expect(feed.snapshot().phase).toBe("live");
  });

  test("holds no more rows than the ring, paused or not", async () => {
    const { feed, state, ids } = await live();
    state.sink?.next(page(events(3, 20)));
    expect(ids()).toHaveLength(10);
    feed.pause();
    state.sink?.next(page(events(21, 40)));
    expect(feed.snapshot().held.count).toBe(20);
    feed.resume();
    expect(ids()).toEqual(["40", "39", "38", "37", "36", "35", "34", "33", "32", "31"]);
  });

  test("tells followers of every event, paused or not", async () => {
    const { feed, state } = await live();
    const seen: string[] = [];
    feed.follow((pageEvents) => seen.push(...pageEvents.map(({ id }) => id)));
    feed.pause();
    state.sink?.next(page(events(3, 4)));
    expect(seen).toEqual(["event:3", "event:4"]);
  });

  test("is signed out by the load or by the subscription, and continues after the last row", async () => {
    const first = setup({
      loads: [() => Promise.reject(new Error("401")), () => Promise.resolve({ events: [event(1)], cursor: "c1" })],
    });
    first.feed.start();
    await new Promise((resolve) => setTimeout(resolve));
    expect(first.feed.snapshot().phase).toBe("signed-out");
    first.feed.retry();
    await new Promise((resolve) => setTimeout(resolve));
    first.state.sink?.next(page(events(2, 2)));
    expect(first.ids()).toEqual(["2", "1"]);
    first.state.sink?.failed("signed-out", "");
    expect(first.feed.snapshot().phase).toBe("signed-out");
    // The socket that closes with it changes nothing.
    first.feed.connectionLost("The connection broke.");
    expect(first.feed.snapshot().phase).toBe("signed-out");
    first.feed.retry();
    expect(first.state.sent.at(-1)?.after).toBe("c2");
    first.state.sink?.next(page(events(3, 3)));
    expect(first.ids()).toEqual(["3", "gap 1", "2", "1"]);
  });

  test("does not load a list again that the service refuses, unless it is told to", async () => {
    const { feed, state } = setup({
      loads: [
        () => Promise.reject(new Refusal("`proposalId` must be a node id")),
        () => Promise.resolve({ events: [], cursor: "c0" }),
      ],
    });
    feed.start();
    await new Promise((resolve) => setTimeout(resolve));
    expect(feed.snapshot()).toMatchObject({ phase: "connecting", refusal: "`proposalId` must be a node id" });
    state.retry();
    expect(feed.snapshot().refusal).toBeDefined();
    feed.renew();
    await new Promise((resolve) => setTimeout(resolve));
    state.sink?.next(page([]));
    expect(feed.snapshot()).toMatchObject({ phase: "live", refusal: undefined });
  });

  test("ignores what a load brings once another has begun", async () => {
    let refuse = (_problem: Error) => {};
    const { feed, state, ids } = setup({
      loads: [
        () =>
          new Promise((_resolve, reject) => {
            refuse = reject;
          }),
        () => Promise.resolve({ events: [event(1)], cursor: "c1" }),
      ],
    });
    feed.start();
    feed.retry();
    refuse(new Error("401"));
    await new Promise((resolve) => setTimeout(resolve));
    state.sink?.next(page([]));
    expect(feed.snapshot().phase).toBe("live");
    expect(ids()).toEqual(["1"]);
  });

  test("ignores what the socket of the session before says", async () => {
    const { feed, state, ids } = await live();
    const old = state.sink;
    feed.renew();
    old?.failed("signed-out", "");
    old?.next(page(events(3, 3)));
    expect(feed.snapshot().phase).toBe("reconnecting");
    state.sink?.next(page(events(3, 3)));
    expect(feed.snapshot().phase).toBe("live");
    expect(ids()).toEqual(["3", "gap 1", "2", "1"]);
  });

  test("starts over with a cursor of another log", async () => {
    const saved = { items: [{ type: "event", id: "event:9", event: event(9) }], cursor: "c9", leftAt: 500 } as const;
    const { feed, state, ids } = setup({ saved });
    feed.start();
    expect(state.sent).toEqual([{ after: "c9", pageSize: 100 }]);
    state.sink?.failed("cursor", "the cursor is of another log");
    state.retry();
    await new Promise((resolve) => setTimeout(resolve));
    state.sink?.next(page(events(3, 3)));
    expect(ids()).toEqual(["3", "2", "1"]);
  });

  test("shows a reload of the page as a break", () => {
    const saved = { items: [{ type: "event", id: "event:9", event: event(9) }], cursor: "c9", leftAt: 500 } as const;
    const { feed, state, ids } = setup({ saved });
    feed.start();
    state.sink?.next(page(events(10, 11)));
    expect(ids()).toEqual(["11", "10", "gap 2", "9"]);
    expect(feed.snapshot().lastGap).toMatchObject({ from: 500, to: 1000 });
  });

  test("saves what a reload restores, held rows included", async () => {
    const { feed, state } = await live();
    feed.pause();
    state.sink?.next(page(events(3, 3)));
    state.now = 2000;
    expect(feed.save()).toMatchObject({ cursor: "c3", leftAt: 2000 });
    expect(feed.save()?.items.map(({ id }) => id)).toEqual(["event:3", "event:2", "event:1"]);
    expect(setup().feed.save()).toBeUndefined();
  });

  test("asks for a page that failed again, and takes no later page before it", async () => {
    const { feed, state, ids } = await live();
    state.sink?.next(page(events(3, 3)));
    const old = state.sink;
    old?.failed("load", "internal error");
    expect(state.ended).toBe(1);
    old?.next(page(events(5, 5)));
    old?.failed("load", "again");
    expect(feed.snapshot()).toMatchObject({ phase: "reconnecting", reason: "internal error", retryAt: 16_000 });
    expect(ids()).toEqual(["3", "2", "1"]);
    state.retry();
    expect(state.sent.at(-1)?.after).toBe("c3");
    state.sink?.next(page(events(4, 5)));
    expect(ids()).toEqual(["5", "4", "gap 2", "3", "2", "1"]);
    expect(feed.snapshot()).toMatchObject({ phase: "live", reason: undefined });
  });

  test("goes on behind an event with a hole that stays, and shows it as it is", async () => {
    const { feed, state, ids } = await live();
    const holed = { ...event(3), problem: "internal error" };
    const fail = () => state.sink?.failed("load", "internal error", page([holed, event(4)]));
    for (const _ of ["first", "second"]) {
      fail();
      expect(feed.snapshot()).toMatchObject({ phase: "reconnecting", isLoadFailure: true, reason: "internal error" });
      expect(ids()).toEqual(["2", "1"]);
      state.retry();
      expect(state.sent.at(-1)?.after).toBe("c0");
    }
    fail();
    expect(ids().filter((id) => !id.startsWith("gap"))).toEqual(["4", "3", "2", "1"]);
    expect(feed.snapshot().items).toContainEqual({ type: "event", id: "event:3", event: holed });
    expect(state.sent.at(-1)?.after).toBe("c4");
    state.sink?.next(page(events(5, 5)));
    expect(feed.snapshot()).toMatchObject({ phase: "live", reason: undefined });
    // The next hole is another one.
    fail();
    expect(feed.snapshot().phase).toBe("reconnecting");
  });

  test("asks for smaller pages once one was too large", async () => {
    const { feed, state } = await live();
    state.sink?.tooLarge();
    state.sink?.failed("load", "too large");
    expect(feed.snapshot()).toMatchObject({ phase: "reconnecting", reason: "too large" });
    state.retry();
    expect(state.sent.at(-1)).toEqual({ after: "c0", pageSize: 25 });
  });
});
