// How live lists reach the service: over one socket, or, where something refuses sockets, over event streams.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { useSyncExternalStore } from "react";
import { endWaits, wait } from "./retry";
import {
  onGreeting,
  refusesSockets,
  type SubscriptionSink,
  setSocketSpare,
  subscribeBySocket,
  terminateSocket,
} from "./socket";

/** Streams, once this page has needed them. */
let streams: typeof import("./stream") | undefined;
let usesStreams = false;
const listeners = new Set<() => void>();

function setUsesStreams(uses: boolean) {
  if (usesStreams === uses) return;
  usesStreams = uses;
  setSocketSpare(uses);
  for (const listener of listeners) listener();
}

onGreeting(() => {
  setUsesStreams(false);
  streams?.leavePlace();
});

/** Whether events come over streams, the second-best way. */
export function useStreams(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    () => usesStreams,
  );
}

/** How many times in a row the streams broke before they brought anything. */
let breaks = 0;
let pause: Promise<void> | undefined;

/** One wait for all subscriptions. */
function pauseAfterBreak(reason: string): Promise<void> {
  pause ??= wait(breaks, reason).then(() => {
    pause = undefined;
    breaks += 1;
  });
  return pause;
}

/** Subscribes, and goes on over the other way where one is refused. `variables` is read again at each connection. */
export function subscribe<Result, Variables extends object>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  sink: SubscriptionSink<Result>,
): () => void {
  let end = () => {};
  let hasEnded = false;
  // After a break a socket is tried first: the network may have changed.
  const bySocket = () => {
    if (hasEnded) return;
    end = subscribeBySocket(document, variables, {
      ...sink,
      closed: (code, reason) => (refusesSockets() ? void byStream() : sink.closed(code, reason)),
    });
  };
  const broken = (reason: string) => {
    setUsesStreams(false);
    void pauseAfterBreak(reason).then(bySocket);
  };
  const byStream = async () => {
    try {
      streams = await import("./stream");
    } catch {
      return broken("The service cannot be reached.");
    }
    if (hasEnded) return;
    end = streams.subscribeByStream(document, variables, {
      ...sink,
      next: (data) => {
        breaks = 0;
        setUsesStreams(true);
        sink.next(data);
      },
      broken,
    });
  };
  if (usesStreams) void byStream();
  else bySocket();
  return () => {
    hasEnded = true;
    end();
  };
}

/** Tries again at once, because the user asks. */
export function reconnectNow() {
  endWaits();
  streams?.claimPlace();
}

/** Ends the connection, so that it is made again. */
export function terminate() {
  terminateSocket();
  streams?.breakStreams("A page was too large.");
}
