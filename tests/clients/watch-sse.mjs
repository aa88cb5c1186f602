import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-sse";

const url = process.env.BIDARC_STREAM ?? "http://127.0.0.1:8080/graphql/sse";
const token = process.env.BIDARC_TOKEN; // a key's token; open mode needs none
const query = "subscription { events { id cursor kind } }";

let last; // the cursor of the last event that was handled; none: live only
let status; // of the last answer

const client = createClient({
  url,
  headers: () => ({
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(last && { "Last-Event-ID": last }),
  }),
  fetchFn: async (...request) => {
    const response = await fetch(...request);
    status = response.status;
    return response;
  },
  retryAttempts: Infinity,
  retry: async () => {
    if (status === 401) throw new Error("401: no key, a wrong one, or a revoked one; set BIDARC_TOKEN");
    console.error("closed, connecting again");
    await sleep(1000);
  },
  on: { connected: () => console.error("connected, waiting for events") },
});

client.subscribe({ query }, {
  next({ data, errors }) {
    if (errors) throw new Error(errors[0].message);
    const event = data.events;
    console.log(event.id, event.kind);
    last = event.cursor;
  },
  error(problem) {
    console.error("retrying will not help:", problem.message);
    process.exitCode = 1;
  },
  complete() {},
});
