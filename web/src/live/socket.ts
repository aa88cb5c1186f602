// The one socket of the page, and what it tells every live list.

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { stringifyDocument } from "@urql/core";
import { type Client, createClient } from "graphql-ws";
import { serviceUrl, socketUrl } from "../base";
import { endWaits, tellLost, tellRetrying, wait } from "./retry";

/** After so many sockets in a row that could not be opened, while the service answers otherwise, something refuses them. */
const REFUSALS = 3;
/** How long a connection has to answer a ping: one that sleep or a change of networks may have ended, and any other. */
const WAKE_PONG_MILLISECONDS = 3000;
const PONG_MILLISECONDS = 20_000;
/** The service answers a ping every 10 seconds, so it is never silent for so long. */
const SILENCE_MILLISECONDS = 15_000;

/** Why the service closed the socket, for people. The codes are those of docs/SUBSCRIPTIONS.md. */
const reasons: Record<number, string> = {
  1001: "The service is stopping.",
  1006: "The connection broke.",
  1013: "The service is busy.",
  4010: "This page received too slowly.",
  4011: "The service heard nothing from this page.",
  // The client's own code, for a connection that died without a sign.
  4499: "Nothing was heard from the service.",
  4429: "Too many wrong keys were sent from here.",
};

let open: WebSocket | undefined;
let pongIsDue: ReturnType<typeof setTimeout> | undefined;
let pongDueAt = 0;
let heardAt = 0;
let lastReason = "The connection broke.";
/** How many sockets in a row ended before the service greeted this page. */
let failures = 0;
let isRefused = false;
/** Whether streams carry the events, so that the lists need not know what becomes of a socket. */
let isSpare = false;

export function setSocketSpare(spare: boolean) {
  isSpare = spare;
}

/** Whether something between this page and the service refuses sockets, as some proxies do. */
export function refusesSockets(): boolean {
  return isRefused;
}

/** Notes a socket that ended before the service greeted this page: the service may be down, or something refuses sockets. */
async function noteFailure() {
  failures += 1;
  if (isRefused || failures < REFUSALS - 1) return;
  const answer = await fetch(serviceUrl("graphql"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"query":"{ __typename }"}',
    credentials: "same-origin",
  }).catch(() => undefined);
  // A proxy answers with 502, 503 or 504 for a service that is down.
  if (!answer || answer.status >= 500) {
    failures = 0;
    return;
  }
  isRefused = failures > 0;
  // The next attempt, if it fails too, is the last one.
  endWaits();
}

function makeClient(): Client {
  let isGreeted = false;
  const made: Client = createClient({
    url: socketUrl(),
    lazyCloseTimeout: 2000,
    keepAlive: 10_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    // Streams wait after a break themselves, so where sockets are refused the client adds no pause.
    retryWait: (retries) => (isRefused ? Promise.resolve() : wait(retries, lastReason)),
    // 4403 means that a key is needed, or that it was revoked: the sign-in opens a new socket.
    shouldRetry: (event) => (event as CloseEvent)?.code !== 4403 && !isRefused,
    on: {
      connected: () => {
        if (made !== client) return;
        isGreeted = true;
        failures = 0;
        isRefused = false;
        for (const listener of greetingListeners) listener();
      },
      opened: (socket) => {
        if (made === client) open = socket as WebSocket;
      },
      connecting: () => {
        isGreeted = false;
        if (made === client && !isSpare) tellRetrying();
      },
      // The client's own ping: a connection that is dead without a sign must not pass for a live one.
      ping: (received) => {
        if (!received && made === client) awaitPong(PONG_MILLISECONDS);
      },
      // Any message shows that the connection lives. A pong may wait behind a long page.
      message: () => {
        if (made !== client) return;
        heardAt = Date.now();
        clearTimeout(pongIsDue);
        pongIsDue = undefined;
      },
      closed: (event) => {
        // The socket of a session that is over says nothing.
        if (made !== client) return;
        open = undefined;
        const { code } = event as CloseEvent;
        lastReason = reasons[code] ?? `The connection was closed (${code}).`;
        // The service itself closes with another code.
        if (code === 1006 && !isGreeted) void noteFailure();
        // 1000 is our own close, after the last subscription.
        if (code === 1000 || isSpare) return;
        // A connection that ends after a silence died when it began: before a laptop's sleep, not after it.
        const wasSilent = isGreeted && Date.now() - heardAt > SILENCE_MILLISECONDS;
        tellLost(lastReason, undefined, wasSilent ? heardAt : undefined);
      },
    },
  });
  return made;
}

const greetingListeners = new Set<() => void>();

/** Calls `listener` whenever the service greets this page on a socket. */
export function onGreeting(listener: () => void) {
  greetingListeners.add(listener);
}

let client: Client | undefined;

/** Begins a session with a socket of its own: a cookie counts for the sockets that are opened with it. */
export function renewSocket() {
  const old = client;
  client = makeClient();
  open = undefined;
  clearTimeout(pongIsDue);
  pongIsDue = undefined;
  void old?.dispose();
}

renewSocket();

/** Ends the socket without a close handshake, so that it is made again. */
export function terminateSocket() {
  client?.terminate();
}

export interface ServiceError {
  message: string;
  path?: readonly (string | number)[] | undefined;
  extensions?: Record<string, unknown>;
}

export interface SubscriptionSink<Result> {
  next(data: Result): void;
  /** A page failed, with what there is of it, or the subscription was refused before it began: then it has ended. */
  errors(errors: readonly ServiceError[], hasEnded: boolean, data?: Result | null): void;
  closed(code: number | undefined, reason: string): void;
}

export function subscribeBySocket<Result, Variables extends object>(
  document: TypedDocumentNode<Result, Variables>,
  // graphql-ws sends this object again after each reconnect, so the feed moves `after` in it.
  variables: Variables,
  sink: SubscriptionSink<Result>,
): () => void {
  return (client as Client).subscribe<Result>(
    { query: stringifyDocument(document), variables: variables as Record<string, unknown> },
    {
      next: ({ data, errors }) => {
        // A page with an error has holes, even if it has data.
        if (errors?.length) sink.errors(errors, false, data);
        else if (data) sink.next(data);
      },
      error: (problem) => {
        if (Array.isArray(problem)) sink.errors(problem, true);
        else {
          const { code } = problem as CloseEvent;
          sink.closed(code, reasons[code] ?? lastReason);
        }
      },
      complete: () => {},
    },
  );
}

/** A laptop that slept, or a network that changed, may leave a socket that looks open. A ping finds out. */
function checkConnection() {
  endWaits();
  if (open?.readyState !== WebSocket.OPEN) return;
  open.send('{"type":"ping"}');
  awaitPong(WAKE_PONG_MILLISECONDS);
}

/** Ends the connection if nothing comes in time. An earlier time stays. */
function awaitPong(milliseconds: number) {
  const dueAt = Date.now() + milliseconds;
  if (pongIsDue && pongDueAt <= dueAt) return;
  clearTimeout(pongIsDue);
  pongDueAt = dueAt;
  pongIsDue = setTimeout(() => {
    pongIsDue = undefined;
    client?.terminate();
  }, milliseconds);
}

/** A machine that slept wakes without an event. Its timers stood still. */
const WATCH_MILLISECONDS = 5000;
let watchedAt = Date.now();
setInterval(() => {
  const stoodStill = Date.now() - watchedAt > 3 * WATCH_MILLISECONDS;
  watchedAt = Date.now();
  if (stoodStill) checkConnection();
}, WATCH_MILLISECONDS);

addEventListener("online", checkConnection);
addEventListener("pageshow", checkConnection);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") checkConnection();
});
