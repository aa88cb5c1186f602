import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const url = process.env.BIDARC_SOCKET ?? "ws://127.0.0.1:8080/graphql/ws";
const token = process.env.BIDARC_TOKEN; // a key's token; open mode needs none
const file = "cursor.txt";

const query = `subscription Watch($after: String) {
  events(after: $after) {
    id cursor kind
    ... on ProjectEvent { project { name } }
    ... on DrawingEvent { drawing { name } }
    ... on ClientEvent { client { name } }
    ... on ProposalEvent { status proposal { name } payment { amount } }
  }
}`;

// graphql-ws sends this object again after each reconnect, so `after` is the cursor of the last event that was handled.
const variables = { after: null }; // null: live only
try {
  variables.after = readFileSync(file, "utf8");
} catch {
  // The first run.
}

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: () => (token ? { Authorization: `Bearer ${token}` } : {}),
  keepAlive: 10_000, // its pings notice a dead connection
  retryAttempts: Infinity,
  shouldRetry: (problem) => problem?.code !== 4403, // 4403: no key, a wrong one, or a revoked one
  retryWait: () => sleep(1000),
  on: {
    connected: () => console.error("connected, waiting for events"),
    closed: ({ code, reason }) => console.error("closed:", code, reason),
  },
});

function fail({ message, extensions }) {
  console.error(message);
  if (extensions?.code !== "BAD_USER_INPUT") return client.terminate(); // reconnect and get the event again
  process.exitCode = 1; // such as the cursor of another database: delete cursor.txt to start over
}

client.subscribe({ query, variables }, {
  next({ data, errors }) {
    if (errors) return fail(errors[0]);
    const event = data.events;
    const name = (event.project ?? event.drawing ?? event.client ?? event.proposal)?.name;
    console.log([event.id, event.kind, event.status, name, event.payment?.amount].filter(Boolean).join(" "));
    variables.after = event.cursor;
    writeFileSync(file, event.cursor); // last, when the event has been handled
  },
  error(problem) {
    console.error("retrying will not help:", problem.reason ?? problem);
    process.exitCode = 1;
  },
  complete() {},
});
