import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-sse";

const url = process.env.BIDARC_STREAM ?? "http://127.0.0.1:8080/graphql/sse";
const query = "subscription { proposalEvents { id cursor kind status } }";

let last; // the cursor of the last event seen; none: live only

const client = createClient({
  url,
  headers: () => (last ? { "Last-Event-ID": last } : {}), // asked for whenever it connects
  retryAttempts: Infinity,
  retry: () => sleep(1000),
});

client.subscribe({ query }, {
  next({ data, errors }) {
    if (errors) throw new Error(errors[0].message);
    const event = data.proposalEvents;
    console.log(event.id, event.kind, event.status ?? "");
    last = event.cursor;
  },
  error(problem) {
    console.error("not to be mended by trying again:", problem);
    process.exitCode = 1;
  },
  complete() {},
});
