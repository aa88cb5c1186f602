import { expect, test, vi } from "vitest";
import { LiveFeedDocument, type LiveFeedSubscription } from "../gql/graphql";
import { type SubscriptionSink, subscribeBySocket } from "./socket";
import { subscribeByStream } from "./stream";

type Message = { data?: unknown; errors?: readonly { message: string }[] };

/** What a transport calls with each message of the service. */
const transport = vi.hoisted(() => ({ next: (_message: Message) => {} }));

const client = vi.hoisted(() => () => ({
  dispose: () => {},
  subscribe: (_request: unknown, { next }: typeof transport) => {
    transport.next = next;
    return () => {};
  },
}));
vi.mock("graphql-ws", () => ({ createClient: client }));
vi.mock("graphql-sse", () => ({ createClient: client, NetworkError: Error }));

test.each([
  ["a socket", (sink: SubscriptionSink<LiveFeedSubscription>) => subscribeBySocket(LiveFeedDocument, {}, sink)],
  [
    "a stream",
    (sink: SubscriptionSink<LiveFeedSubscription>) =>
      subscribeByStream(LiveFeedDocument, {}, { ...sink, broken: () => {} }),
  ],
])("over %s a page with data and errors is a page that failed", async (_name, subscribe) => {
  const seen: unknown[] = [];
  subscribe({
    next: (data) => seen.push(data),
    errors: (...failure) => seen.push(failure),
    closed: () => {},
  });
  // A stream begins once this tab has its place.
  await Promise.resolve();
  const errors = [{ message: "internal error" }];
  const data = { eventFeed: { events: [{ proposal: null }] } };
  transport.next({ data, errors });
  transport.next({ data: { eventFeed: { events: [] } } });
  expect(seen).toEqual([[errors, false, data], { eventFeed: { events: [] } }]);
});
