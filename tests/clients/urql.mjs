import { setTimeout as sleep } from "node:timers/promises";
import { Client, fetchExchange, gql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { onEnd, pipe, subscribe } from "wonka";

const url = process.env.BIDARC_URL ?? "http://127.0.0.1:8080/graphql";
const token = process.env.BIDARC_TOKEN; // a key's token; open mode needs none

// These types have no id. The cache keeps each value with the object that it belongs to.
const embedded = [
  "Address", "Contact", "Customer", "DrawingVersion", "DurationStats", "EventBucket", "EventFeedPage", "FunnelBucket",
  "Header", "HourCount", "Money", "ProposalStats", "ProposalStatusStats", "SalesRep", "Service", "UserError",
  "VendorStatus", "Viewer",
];
const cache = cacheExchange({
  keys: Object.fromEntries(embedded.map((type) => [type, () => null])),
  resolvers: { Query: { projects: relayPagination() } },
});

const client = new Client({
  url,
  exchanges: [cache, fetchExchange],
  fetchSubscriptions: true,
  preferGetMethod: false,
  fetchOptions: () => ({ headers: token ? { Authorization: `Bearer ${token}` } : {} }),
});

/** The data of a result, which must have no error. */
async function data(source) {
  const result = await source.toPromise();
  if (result.error) throw result.error;
  return result.data;
}

const PROJECTS = gql`query Projects($after: String) {
  projects(first: 2, after: $after, orderBy: { field: NAME, direction: ASC }) {
    nodes { id name customer { name } }
    pageInfo { endCursor hasNextPage }
  }
}`;
let projects;
let after = ""; // the first page
do {
  // The cache appends the page to those before, and gives all of them.
  ({ projects } = await data(client.query(PROJECTS, { after }, { requestPolicy: "network-only" })));
  after = projects.pageInfo.endCursor;
} while (projects.pageInfo.hasNextPage);
console.log("projects", projects.nodes.map(({ name }) => name).join(","));

const RELEASE = gql`mutation Release($id: ID!) {
  releaseQuarantinedDelivery(input: { id: $id }) { userErrors { code } }
}`;
const { releaseQuarantinedDelivery } = await data(client.mutation(RELEASE, { id: "delivery:1" }));
console.log("released", releaseQuarantinedDelivery.userErrors.map(({ code }) => code).join(","));

const EVENTS = gql`subscription Watch($after: String) { events(after: $after) { id cursor kind } }`;
let { headCursor: last } = await data(client.query(gql`{ headCursor }`, {})); // then that of the last event that was handled
for (;;) {
  // A stream ends when the service stops. The next one continues after the last event.
  await new Promise((ended) => pipe(
    client.subscription(EVENTS, { after: last }),
    onEnd(ended),
    subscribe(({ data, error }) => {
      if (!data) return console.error("closed:", error?.message);
      if (data.events.cursor === last) return; // at the end of a stream urql repeats its last result
      console.log(data.events.id, data.events.kind);
      last = data.events.cursor;
    }),
  ));
  await sleep(500);
}
