// Event streams, for networks that refuse sockets. A browser has six connections to a host, so one tab at a time uses them.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { stringifyDocument } from "@urql/core";
import { createClient, NetworkError } from "graphql-sse";
import { serviceUrl } from "../base";
import { tellLost } from "./retry";
import type { SubscriptionSink } from "./socket";

/** The service sends something every 12 seconds. A stream that is silent for longer is dead. */
const SILENCE_MILLISECONDS = 26_000;
const CHECK_MILLISECONDS = 2000;

interface Stream {
  /** When the service last sent something; undefined before the stream is opened. */
  heardAt: number | undefined;
  breakOff(reason: string): void;
}

const streams = new Set<Stream>();

/** Ends every stream of this page: they share one state. */
export function breakStreams(reason: string, since?: number) {
  if (streams.size > 0 && since !== undefined) tellLost(reason, undefined, since);
  for (const stream of [...streams]) stream.breakOff(reason);
}

function checkSilence() {
  const oldest = Math.min(...[...streams].map(({ heardAt }) => heardAt ?? Number.POSITIVE_INFINITY));
  if (Date.now() - oldest > SILENCE_MILLISECONDS) breakStreams("Nothing was heard from the service.", oldest);
}

setInterval(checkSilence, CHECK_MILLISECONDS);

const LOCK = "bidarc.stream";

/** This tab's place among those of the browser: it resolves when the tab may open streams. */
let place: Promise<void> | undefined;
let leave: (() => void) | undefined;
/** Takes the place at once, from whichever tab has it. Only while this one waits for it. */
let claim: (() => void) | undefined;
/** Whether another tab took the place: this one waits then, until the user looks at it. */
let isTaken = false;

function takePlace(): Promise<void> {
  // Browsers have locks over https and on this machine alone. Elsewhere tabs cannot know of each other.
  if (!navigator.locks) return Promise.resolve();
  place ??= new Promise((taken) => {
    const hold = () =>
      new Promise<void>((left) => {
        claim = undefined;
        leave = left;
        taken();
      });
    const lost = () => {
      place = undefined;
      leave = undefined;
      isTaken = true;
      breakStreams("Another tab of bidarc receives the events.");
    };
    const queue = new AbortController();
    leave = () => queue.abort();
    claim = () => {
      queue.abort();
      navigator.locks.request(LOCK, { steal: true }, hold).catch(lost);
    };
    if (document.visibilityState === "visible" && !isTaken) return claim();
    tellLost("Another tab of bidarc receives the events.");
    return navigator.locks.request(LOCK, { signal: queue.signal }, hold).catch(() => {
      if (!queue.signal.aborted) lost();
    });
  });
  return place;
}

/** Takes the place of this browser's streams, because the user looks at this tab. */
export function claimPlace() {
  isTaken = false;
  claim?.();
}

/** Leaves the place to another tab: this one has a socket, and its subscriptions go on over that. */
export function leavePlace() {
  leave?.();
  leave = undefined;
  claim = undefined;
  place = undefined;
  breakStreams("The connection became better.");
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  claimPlace();
  checkSilence();
});
addEventListener("online", checkSilence);

/** Subscribes over a stream. `broken` is called once, when it ends without the caller's doing. */
export function subscribeByStream<Result, Variables extends object>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  sink: SubscriptionSink<Result> & { broken(reason: string): void },
): () => void {
  let dispose: (() => void) | undefined;
  const close = () => {
    streams.delete(stream);
    dispose?.();
  };
  const stream: Stream = {
    heardAt: undefined,
    breakOff: (reason) => {
      if (!streams.has(stream)) return;
      close();
      sink.broken(reason);
    },
  };
  streams.add(stream);
  void takePlace().then(() => {
    if (!streams.has(stream)) return;
    stream.heardAt = Date.now();
    const client = createClient({
      url: serviceUrl("graphql"),
      retryAttempts: 0,
      // Notes each byte, keep-alives too. A stream that ends without `complete` is broken.
      fetchFn: async (...request: Parameters<typeof fetch>) => {
        const response = await fetch(...request);
        const noted = response.body?.pipeThrough(
          new TransformStream<Uint8Array, Uint8Array>({
            transform(chunk, controller) {
              stream.heardAt = Date.now();
              controller.enqueue(chunk);
            },
            flush: (controller) => controller.error(new Error("The stream ended.")),
          }),
        );
        return response.ok && noted ? new Response(noted, response) : response;
      },
    });
    dispose = () => client.dispose();
    client.subscribe<Result>(
      { query: stringifyDocument(document), variables: variables as Record<string, unknown> },
      {
        next: ({ data, errors }) => {
          if (!streams.has(stream)) return;
          // As over a socket: a page with an error has holes, even if it has data.
          if (errors?.length) sink.errors(errors, false, data);
          else if (data) sink.next(data);
        },
        error: (problem) => void fail(problem),
        complete: () => {},
      },
    );
  });
  const fail = async (problem: unknown) => {
    if (!streams.has(stream)) return;
    const response = problem instanceof NetworkError ? (problem.response as Response | undefined) : undefined;
    if (response?.status === 401) {
      close();
      sink.closed(4403, "A key is needed.");
    } else if (response?.status === 400) {
      const { errors } = (await response.json().catch(() => ({}))) as { errors?: { message: string }[] };
      close();
      sink.errors(errors ?? [{ message: "The service refused the request." }], true);
    } else breakStreams(response ? `The service answered ${response.status}.` : "The connection broke.");
  };
  return close;
}
