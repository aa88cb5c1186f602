// A live list of events without loss: what an unbroken socket delivers, and after a break everything since, with a line in the
// list that says how long the break was and how many events came in it. It knows neither React nor the network.
import { isAccepted, type Occurrence } from "../events/words";

/** How many rows a live list holds. */
const RING_SIZE = 200;

/** How many events a page of the feed has at most; fewer once a page was too large for the service's budget. */
const PAGE_SIZE = 100;

export interface FeedEvent extends Occurrence {
  id: string;
  cursor: string;
  receivedAt: string;
  /** Why a part of it is missing: the service could not read it. */
  problem?: string;
}

export interface Page<E> {
  cursor: string;
  caughtUp: boolean;
  events: readonly E[];
}

/** A break in the list: rows below were received before it, rows above are what was missed, and what came later. */
export interface Gap {
  type: "gap";
  id: string;
  from: number;
  to: number;
  count: number;
  isComplete: boolean;
}

interface Row<E> {
  type: "event";
  id: string;
  event: E;
}

export type Item<E> = Row<E> | Gap;

export type Phase = "connecting" | "catching-up" | "live" | "paused" | "reconnecting" | "signed-out";

export interface Snapshot<E> {
  phase: Phase;
  items: readonly Item<E>[];
  /** What arrived while paused. */
  held: { count: number; accepted: number };
  pausedAt: number | undefined;
  /** When the connection broke, why, and when the next attempt is due. */
  lostAt: number | undefined;
  /** Whether events could not be loaded, and not the connection broke. */
  isLoadFailure: boolean;
  reason: string | undefined;
  retryAt: number | undefined;
  /** Why the service can never load the list. */
  refusal: string | undefined;
  /** How many events the catching-up has brought so far. */
  caught: number;
  lastEventAt: string | undefined;
  /** Whether the list begins with what arrives now, because the log is too large to search for what came before. */
  beginsNow: boolean;
  /** The last break that was closed. */
  lastGap: Gap | undefined;
}

/** What a reload of the page keeps. */
export interface Saved<E> {
  items: readonly Item<E>[];
  cursor: string;
  leftAt: number;
}

export interface Variables {
  after: string;
  pageSize: number;
}

export interface Sink<E> {
  next(page: Page<E>): void;
  /** A page was larger than the service's budget allows. */
  tooLarge(): void;
  /**
   * A page or the subscription failed: the cursor is not of this log, the key was refused, the service answered with an
   * error, or the connection broke. `holed` is the page if the error left holes in it that a retry may not fill.
   */
  failed(problem: "cursor" | "signed-out" | "load" | "connection", reason: string, holed?: Page<E>): void;
}

/** The service does not take the filter of a list. A retry would not help. */
export class Refusal extends Error {}

export interface FeedOptions<E> {
  /** Loads the first rows. Rejects with a `Refusal` if they can never be loaded. */
  load(): Promise<{ events: readonly E[]; cursor: string; beginsNow?: boolean }>;
  /** Subscribes; `variables` is read again at each reconnect. Returns how to end it. */
  subscribe(variables: Variables, sink: Sink<E>): () => void;
  now(): number;
  /** Runs a publication soon: at the next frame. */
  schedule(publish: () => void): void;
  /** Runs a retry later. Returns how to cancel it. */
  later(run: () => void, milliseconds: number): () => void;
  saved?: Saved<E> | undefined;
  isSignedOut(problem: unknown): boolean;
  ringSize?: number;
}

/** How long to wait after a failure that the socket does not retry by itself. */
const RETRY_MILLISECONDS = 15_000;

/** A page with holes is asked for so often before it is taken as it is: one event must not keep all later ones away. */
const HOLED_MAX = 3;

/** A break that is shorter, and in which nothing happened, has no line: each reload of a page is one. */
const SHORT_BREAK_MILLISECONDS = 10_000;

export class Feed<E extends FeedEvent> {
  readonly #options: FeedOptions<E>;
  readonly #ringSize: number;
  readonly #listeners = new Set<() => void>();
  readonly #followers = new Set<(events: readonly E[]) => void>();
  /** Newest first. */
  #items: readonly Item<E>[] = [];
  #held: Item<E>[] = [];
  #heldCounts = { count: 0, accepted: 0 };
  #connection: "connecting" | "catching-up" | "live" | "reconnecting" | "signed-out" = "connecting";
  #pausedAt: number | undefined;
  #lostAt: number | undefined;
  #isLoadFailure = false;
  /** How many times in a row the next page had holes. */
  #holed = 0;
  #reason: string | undefined;
  #retryAt: number | undefined;
  #refusal: string | undefined;
  #caught = 0;
  #beginsNow = false;
  #gap: Gap | undefined;
  #lastGap: Gap | undefined;
  #gapCount = 0;
  #variables: Variables = { after: "", pageSize: PAGE_SIZE };
  #end: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  #isStarted = false;
  /** Which load or subscription is the last one: what an earlier one brings is late. */
  #attempt = 0;
  #isScheduled = false;
  #snapshot: Snapshot<E>;

  constructor(options: FeedOptions<E>) {
    this.#options = options;
    this.#ringSize = options.ringSize ?? RING_SIZE;
    const { saved } = options;
    if (saved) {
      this.#items = saved.items;
      this.#variables.after = saved.cursor;
      this.#lostAt = saved.leftAt;
      // A break that a reload has interrupted goes on in its line.
      this.#gap = saved.items.find((item): item is Gap => item.type === "gap" && !item.isComplete);
    }
    this.#snapshot = this.#makeSnapshot();
  }

  snapshot = (): Snapshot<E> => this.#snapshot;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** Calls `follower` with each page's events, paused or not. */
  follow(follower: (events: readonly E[]) => void): () => void {
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
    };
  }

  start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.#variables.after) this.#connect();
    else void this.#load();
  }

  stop() {
    this.#isStarted = false;
    this.#end?.();
    this.#end = undefined;
    this.#cancelRetry?.();
  }

  /** What to keep over a reload of the page; nothing before the first load. */
  save(): Saved<E> | undefined {
    if (!this.#variables.after || this.#connection === "signed-out") return undefined;
    const rows = [...this.#held].reverse().concat(this.#items);
    const leftAt = this.#lostAt ?? this.#options.now();
    return { items: rows.slice(0, 50), cursor: this.#variables.after, leftAt };
  }

  pause() {
    if (this.#pausedAt !== undefined) return;
    this.#pausedAt = this.#options.now();
    this.#publish();
  }

  resume() {
    if (this.#pausedAt === undefined) return;
    this.#pausedAt = undefined;
    this.#prepend(this.#held);
    this.#held = [];
    this.#heldCounts = { count: 0, accepted: 0 };
    this.#publish();
  }

  /** Pauses or resumes. The snapshot may be of a moment ago, so that two quick presses would do the same. */
  togglePause() {
    if (this.#pausedAt === undefined) this.pause();
    else this.resume();
  }

  /** The connection broke, now or without a sign at `since`. It is made again by itself at `retryAt`. */
  connectionLost(reason: string, retryAt?: number, since = this.#options.now()) {
    if (this.#connection === "signed-out" || !this.#isStarted) return;
    if (this.#lostAt === undefined && this.#variables.after) this.#lostAt = since;
    this.#isLoadFailure = false;
    this.#reason = reason;
    this.#retryAt = retryAt;
    if (this.#variables.after || this.#connection === "reconnecting") this.#connection = "reconnecting";
    this.#publish();
  }

  /** A new attempt has begun, or is due at another time. */
  connectionRetrying(retryAt: number | undefined) {
    this.#retryAt = retryAt;
    this.#publish();
  }

  /** Tries again at once, because the user asks. */
  retry() {
    if (this.#connection === "live" || this.#connection === "catching-up") return;
    this.renew();
  }

  /** Connects again whatever the state: a session has begun. */
  renew() {
    if (this.#lostAt === undefined && this.#variables.after) this.#lostAt = this.#options.now();
    this.#cancelRetry?.();
    this.#end?.();
    this.#end = undefined;
    this.#connection = this.#variables.after ? "reconnecting" : "connecting";
    this.#publish();
    if (this.#variables.after) this.#connect();
    else void this.#load();
  }

  async #load() {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#refusal = undefined;
    try {
      const { events, cursor, beginsNow = false } = await this.#options.load();
      if (!this.#isStarted || attempt !== this.#attempt) return;
      this.#beginsNow = beginsNow;
      this.#items = events.slice(0, this.#ringSize).map(row);
      this.#variables.after = cursor;
      this.#publish();
      this.#connect();
    } catch (problem) {
      if (!this.#isStarted || attempt !== this.#attempt) return;
      if (this.#options.isSignedOut(problem)) this.#signOut();
      else if (problem instanceof Refusal) {
        this.#refusal = problem.message;
        this.#publish();
      } else this.#retryLater("load", problem instanceof Error ? problem.message : String(problem));
    }
  }

  #connect() {
    this.#end?.();
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#end = this.#options.subscribe(this.#variables, {
      next: (page) => {
        if (attempt === this.#attempt) this.#take(page);
      },
      tooLarge: () => {
        this.#variables.pageSize = Math.max(1, Math.floor(this.#variables.pageSize / 4));
      },
      failed: (problem, reason, holed) => {
        if (attempt !== this.#attempt) return;
        // The service may go on with later pages. They must not move the cursor past the one that failed.
        this.#attempt += 1;
        this.#end?.();
        this.#end = undefined;
        if (holed) this.#holed += 1;
        if (problem === "signed-out") this.#signOut();
        else if (holed && this.#holed >= HOLED_MAX) {
          this.#take(holed);
          this.#connect();
        } else {
          // The log is another one: what is shown is not of it.
          if (problem === "cursor") this.#reset();
          this.#retryLater(problem, reason);
        }
      },
    });
  }

  #reset() {
    this.#items = [];
    this.#held = [];
    this.#heldCounts = { count: 0, accepted: 0 };
    this.#variables.after = "";
    this.#lostAt = undefined;
    this.#gap = undefined;
  }

  #retryLater(problem: "cursor" | "load" | "connection", reason: string) {
    const milliseconds = problem === "cursor" ? 0 : RETRY_MILLISECONDS;
    if (this.#lostAt === undefined && this.#variables.after) this.#lostAt = this.#options.now();
    this.#connection = "reconnecting";
    this.#isLoadFailure = problem === "load";
    this.#reason = reason;
    this.#retryAt = this.#options.now() + milliseconds;
    this.#cancelRetry?.();
    this.#cancelRetry = this.#options.later(() => this.retry(), milliseconds);
    this.#publish();
  }

  #signOut() {
    if (this.#lostAt === undefined && this.#variables.after) this.#lostAt = this.#options.now();
    this.#connection = "signed-out";
    this.#publish();
  }

  #take(page: Page<E>) {
    const { cursor, caughtUp } = page;
    // The first load reads its rows a moment after its cursor, so the first page may bring some of them again.
    const shown = new Set([...this.#items, ...this.#held].map(({ id }) => id));
    const events = page.events.filter((event) => !shown.has(row(event).id));
    const isAfterBreak = this.#lostAt !== undefined;
    const items: Item<E>[] = [];
    if (this.#lostAt !== undefined) {
      if (!this.#gap) {
        this.#gapCount += 1;
        const id = `gap:${this.#lostAt}:${this.#gapCount}`;
        this.#gap = { type: "gap", id, from: this.#lostAt, to: this.#options.now(), count: 0, isComplete: false };
        items.push(this.#gap);
      }
      this.#updateGap(
        { ...this.#gap, count: this.#gap.count + events.length, to: this.#options.now(), isComplete: caughtUp },
        items,
      );
      const { id, from, to, count } = this.#gap;
      if (caughtUp && count === 0 && to - from < SHORT_BREAK_MILLISECONDS) {
        const isOther = (item: Item<E>) => item.id !== id;
        this.#items = this.#items.filter(isOther);
        this.#held = this.#held.filter(isOther);
        items.length = 0;
      }
    }
    items.push(...events.map(row));
    // Only now: a subscription that is sent again starts after what is in the list.
    this.#variables.after = cursor;
    this.#caught = isAfterBreak || this.#connection !== "live" ? this.#caught + events.length : 0;
    if (this.#pausedAt === undefined) this.#prepend(items);
    else {
      this.#held = [...this.#held, ...items].slice(-this.#ringSize);
      this.#heldCounts = {
        count: this.#heldCounts.count + events.length,
        accepted: this.#heldCounts.accepted + events.filter(isAccepted).length,
      };
    }
    this.#holed = 0;
    this.#retryAt = undefined;
    this.#connection = caughtUp ? "live" : "catching-up";
    if (caughtUp) {
      this.#lostAt = undefined;
      this.#reason = undefined;
      this.#caught = 0;
      if (this.#gap) this.#lastGap = this.#gap;
      this.#gap = undefined;
    }
    for (const follower of this.#followers) follower(events);
    this.#publish();
  }

  /** Puts the gap's new figures in its place, wherever the line is. */
  #updateGap(gap: Gap, items: Item<E>[]) {
    const replace = (item: Item<E>) => (item.id === gap.id ? gap : item);
    this.#gap = gap;
    const place = items.findIndex((item) => item.id === gap.id);
    if (place >= 0) items[place] = gap;
    this.#items = this.#items.map(replace);
    this.#held = this.#held.map(replace);
  }

  /** Adds items, oldest first, before the older ones. */
  #prepend(items: readonly Item<E>[]) {
    if (items.length === 0) return;
    this.#items = [...items].reverse().concat(this.#items).slice(0, this.#ringSize);
  }

  #publish() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.schedule(() => {
      this.#isScheduled = false;
      this.#snapshot = this.#makeSnapshot();
      for (const listener of this.#listeners) listener();
    });
  }

  #phase(): Phase {
    const isBroken = this.#connection === "reconnecting" || this.#connection === "signed-out";
    return this.#pausedAt !== undefined && !isBroken ? "paused" : this.#connection;
  }

  #makeSnapshot(): Snapshot<E> {
    const newest = this.#items.find((item) => item.type === "event");
    return {
      phase: this.#phase(),
      items: this.#items,
      held: this.#heldCounts,
      pausedAt: this.#pausedAt,
      lostAt: this.#lostAt,
      isLoadFailure: this.#isLoadFailure,
      reason: this.#reason,
      retryAt: this.#retryAt,
      refusal: this.#refusal,
      caught: this.#caught,
      lastEventAt: newest?.event.receivedAt,
      beginsNow: this.#beginsNow,
      lastGap: this.#lastGap,
    };
  }
}

function row<E extends FeedEvent>(event: E): Row<E> {
  return { type: "event", id: event.id, event };
}
