// The live lists of the page: one for each filter in use, over one socket.
import { currentApi, errorText, isTemporary, isTooLarge, isUnauthenticated } from "../app/api";
import type { EventFilter, EventRowFragment, LiveFeedSubscriptionVariables } from "../gql/graphql";
import { LiveFeedDocument, LiveHeadDocument, LiveStartDocument } from "../gql/graphql";
import { reconnectNow, subscribe, terminate } from "./connection";
import { Feed, type FeedEvent, Refusal, type Saved, type Sink, type Variables } from "./feed";
import { listen } from "./retry";
import { renewSocket, type ServiceError } from "./socket";

export type EventRow = EventRowFragment & Pick<FeedEvent, "problem">;
export type EventFeed = Feed<EventRow>;

interface Entry {
  feed: EventFeed;
  users: number;
  storageKey: string;
}

const entries = new Map<string, Entry>();

/** Notes in each event the error in it. The third part of the error's path is the event's place in its list. */
function withProblems(events: readonly EventRow[], errors: readonly ServiceError[]): readonly EventRow[] {
  return events.map((event, place) => {
    const error = errors.find(({ path }) => path?.[2] === undefined || path[2] === place);
    return error ? { ...event, problem: error.message } : event;
  });
}

function subscribeFeed(filter: EventFilter | null, variables: Variables, sink: Sink<EventRow>): () => void {
  // One object for the subscription's life: the feed moves `after` in it.
  const sent = Object.assign(variables, { filter }) as LiveFeedSubscriptionVariables & Variables;
  return subscribe(LiveFeedDocument, sent, {
    next: ({ eventFeed }) => sink.next(eventFeed),
    errors: (errors, hasEnded, data) => {
      const [error] = errors;
      const code = error?.extensions?.code;
      const reason = error?.message ?? "The subscription failed.";
      const page = code === "UNAVAILABLE" ? undefined : data?.eventFeed;
      if (code === "LIMIT_EXCEEDED") sink.tooLarge();
      if (code === "LIMIT_EXCEEDED" && !hasEnded) terminate();
      else if (code === "UNAUTHENTICATED") sink.failed("signed-out", reason);
      else if (code === "BAD_USER_INPUT") sink.failed("cursor", reason);
      else sink.failed("load", reason, page && { ...page, events: withProblems(page.events, errors) });
    },
    closed: (code, reason) => sink.failed(code === 4403 ? "signed-out" : "connection", reason),
  });
}

function readSaved(key: string): Saved<EventRow> | undefined {
  try {
    const text = sessionStorage.getItem(key);
    sessionStorage.removeItem(key);
    return text ? (JSON.parse(text) as Saved<EventRow>) : undefined;
  } catch {
    return undefined;
  }
}

/** While many events arrive, the list is rendered at most so often: each time costs the browser about the same. */
const RENDER_MILLISECONDS = 100;
let renderedAt = 0;

/** Runs at the next frame; a hidden page has none. */
function schedule(publish: () => void) {
  const render = () => {
    renderedAt = performance.now();
    publish();
  };
  const wait = renderedAt + RENDER_MILLISECONDS - performance.now();
  if (document.hidden) setTimeout(render);
  else if (wait > 0) setTimeout(() => requestAnimationFrame(render), wait);
  else requestAnimationFrame(render);
}

function makeFeed(filter: EventFilter | null, storageKey: string): EventFeed {
  return new Feed<EventRow>({
    load: async () => {
      const api = currentApi();
      const policy = { requestPolicy: "network-only" } as const;
      const result = await api.query(LiveStartDocument, { filter }, policy).toPromise();
      if (filter?.payloadContains && isTooLarge(result.error)) {
        const head = await api.query(LiveHeadDocument, {}, policy).toPromise();
        if (head.error || !head.data) throw head.error ?? new Error("The service gave no data.");
        return { events: [], cursor: head.data.headCursor, beginsNow: true };
      }
      // Without a filter there is nothing that the user could correct.
      if (filter && result.error?.graphQLErrors[0]?.extensions.code === "BAD_USER_INPUT")
        throw new Refusal(errorText(result.error));
      if (!result.data || isTemporary(result.error)) throw result.error ?? new Error("The service gave no data.");
      const { headCursor, events } = result.data;
      return { events: withProblems(events.nodes, result.error?.graphQLErrors ?? []), cursor: headCursor };
    },
    subscribe: (variables, sink) => subscribeFeed(filter, variables, sink),
    now: () => Date.now(),
    schedule,
    later: (run, milliseconds) => {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
    saved: readSaved(storageKey),
    isSignedOut: isUnauthenticated,
  });
}

/** The feed of a filter. Call the second value when it is no longer shown. */
export function acquireFeed(filter: EventFilter | null): [EventFeed, () => void] {
  const key = JSON.stringify(filter);
  let entry = entries.get(key);
  if (!entry) {
    const storageKey = `bidarc.feed.${key}`;
    entry = { feed: makeFeed(filter, storageKey), users: 0, storageKey };
    entries.set(key, entry);
  }
  const acquired = entry;
  acquired.users += 1;
  acquired.feed.start();
  return [
    acquired.feed,
    () => {
      acquired.users -= 1;
      if (acquired.users > 0) return;
      acquired.feed.stop();
      entries.delete(key);
    },
  ];
}

/** Every feed tries again at once. */
export function retryFeeds() {
  reconnectNow();
  for (const { feed } of entries.values()) feed.retry();
}

/** Goes on in a new session. */
export function renewFeeds() {
  renewSocket();
  for (const { feed } of entries.values()) feed.renew();
}

function dropSaved() {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith("bidarc.feed.")) sessionStorage.removeItem(key);
    }
  } catch {
    // The browser stores nothing for this page.
  }
}

let isForgotten = false;

/** Forgets what a reload would restore: the session ended. */
export function forgetFeeds() {
  isForgotten = true;
  dropSaved();
}

listen({
  lost: (reason, retryAt, since) => {
    for (const { feed } of entries.values()) feed.connectionLost(reason, retryAt, since);
  },
  retrying: (retryAt) => {
    for (const { feed } of entries.values()) feed.connectionRetrying(retryAt);
  },
});

addEventListener("pagehide", () => {
  if (isForgotten) return;
  for (const { feed, storageKey } of entries.values()) {
    const saved = feed.save();
    try {
      if (saved) sessionStorage.setItem(storageKey, JSON.stringify(saved));
    } catch {
      // The browser stores nothing for this page, or no more: after a reload this list begins without its place.
    }
  }
});

/** How long after it is shown a page may go on from the places that it saved. Later the tab was not away. */
const RESTORE_MILLISECONDS = 10_000;

// Also when the browser shows a page again that it had kept whole.
addEventListener("pageshow", () => setTimeout(dropSaved, RESTORE_MILLISECONDS));
