// The one socket of the page, and what it tells every live list.

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { stringifyDocument } from "@urql/core";
import { type Client, createClient } from "graphql-ws";
import { socketUrl } from "../base";

const FIRST_WAIT_MILLISECONDS = 1000;
const LONGEST_WAIT_MILLISECONDS = 30_000;
/** How long a connection has to answer a ping: one that sleep or a change of networks may have ended, and any other. */
const WAKE_PONG_MILLISECONDS = 3000;
const PONG_MILLISECONDS = 20_000;

/** Why the service closed the socket, for people. The codes are those of docs/SUBSCRIPTIONS.md. */
const reasons: Record<number, string> = {
  1001: "The service is stopping.",
  1006: "The connection broke.",
  1013: "The service is busy.",
  4010: "This page received too slowly.",
  4011: "The service heard nothing from this page.",
  4429: "Too many wrong keys were sent from here.",
};

export interface SocketListener {
  lost(reason: string, retryAt: number | undefined): void;
  retrying(retryAt: number | undefined): void;
}

const listeners = new Set<SocketListener>();
let open: WebSocket | undefined;
let endWait: (() => void) | undefined;
let pongIsDue: ReturnType<typeof setTimeout> | undefined;
let pongDueAt = 0;
let lastReason = "The connection broke.";

/** Waits before the attempt of this number, at most until `reconnectNow`. */
function wait(retries: number): Promise<void> {
  const longest = Math.min(FIRST_WAIT_MILLISECONDS * 2 ** retries, LONGEST_WAIT_MILLISECONDS);
  // Many pages must not come back in one moment.
  const milliseconds = longest * (0.75 + Math.random() / 2);
  for (const listener of listeners) listener.lost(lastReason, Date.now() + milliseconds);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    endWait = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

function makeClient(): Client {
  const made: Client = createClient({
    url: socketUrl(),
    lazyCloseTimeout: 2000,
    keepAlive: 10_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: wait,
    // 4403 means that a key is needed, or that it was revoked: the sign-in opens a new socket.
    shouldRetry: (event) => (event as CloseEvent)?.code !== 4403,
    on: {
      opened: (socket) => {
        if (made === client) open = socket as WebSocket;
      },
      connecting: () => {
        if (made === client) for (const listener of listeners) listener.retrying(undefined);
      },
      // The client's own ping: a connection that is dead without a sign must not pass for a live one.
      ping: (received) => {
        if (!received && made === client) awaitPong(PONG_MILLISECONDS);
      },
      // Any message shows that the connection lives. A pong may wait behind a long page.
      message: () => {
        if (made !== client) return;
        clearTimeout(pongIsDue);
        pongIsDue = undefined;
      },
      closed: (event) => {
        // The socket of a session that is over says nothing.
        if (made !== client) return;
        open = undefined;
        const { code } = event as CloseEvent;
        lastReason = reasons[code] ?? `The connection was closed (${code}).`;
        // 1000 is our own close, after the last subscription.
        if (code !== 1000) for (const listener of listeners) listener.lost(lastReason, undefined);
      },
    },
  });
  return made;
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

export function listen(listener: SocketListener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Ends the wait for the next attempt. */
export function reconnectNow() {
  endWait?.();
}

/** Ends a connection without a close handshake, so that it is made again. */
export function terminate() {
  client?.terminate();
}

export function subscribe<Result, Variables extends object>(
  document: TypedDocumentNode<Result, Variables>,
  // graphql-ws sends this object again after each reconnect, so the feed moves `after` in it.
  variables: Variables,
  sink: {
    next(data: Result): void;
    /** A page failed, or the subscription was refused before it began: then it has ended. */
    errors(errors: readonly { message: string; extensions?: Record<string, unknown> }[], hasEnded: boolean): void;
    closed(code: number | undefined, reason: string): void;
  },
): () => void {
  return (client as Client).subscribe<Result>(
    { query: stringifyDocument(document), variables: variables as Record<string, unknown> },
    {
      next: ({ data, errors }) => {
        if (data) sink.next(data);
        else if (errors) sink.errors(errors, false);
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
  endWait?.();
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

addEventListener("online", checkConnection);
addEventListener("pageshow", checkConnection);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") checkConnection();
});
