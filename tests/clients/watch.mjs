import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const url = process.env.BIDARC_SOCKET ?? "ws://127.0.0.1:8080/graphql/ws";
const file = "cursor.txt";

const query = `subscription Watch($after: String) {
  proposalEvents(after: $after) {
    id cursor kind provider status
    proposal { vendorId name total }
    payment { amount }
  }
}`;

// The client sends this object again whenever it connects anew, so `after` is kept at the last event seen.
const variables = { after: null }; // null: live only
try {
  variables.after = readFileSync(file, "utf8");
} catch {
  // The first run.
}

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  keepAlive: 10_000, // its pings notice a connection that is dead
  retryAttempts: Infinity,
  shouldRetry: () => true,
  retryWait: () => sleep(1000),
});

client.subscribe({ query, variables }, {
  next({ data, errors }) {
    if (errors) return client.terminate(); // the event could not be read: come again for it
    const event = data.proposalEvents;
    console.log(event.id, event.kind, event.status ?? "", event.proposal?.name ?? "", event.payment?.amount ?? "");
    variables.after = event.cursor;
    writeFileSync(file, event.cursor); // only once the event has been dealt with
  },
  error(problem) {
    console.error("not to be mended by trying again:", problem);
    process.exitCode = 1;
  },
  complete() {},
});
