import { setTimeout as sleep } from "node:timers/promises";
import { SubscriptionProtocol, UrlLoader } from "@graphql-tools/url-loader";
import { wrapSchema } from "@graphql-tools/wrap";
import { execute, parse, subscribe } from "graphql";

const url = process.env.BIDARC_URL ?? "http://127.0.0.1:8080/graphql";
const token = process.env.BIDARC_TOKEN; // a key's token; open mode needs none

const options = {
  headers: token ? { Authorization: `Bearer ${token}` } : {},
  subscriptionsProtocol: SubscriptionProtocol.SSE,
};
const loader = new UrlLoader();
const [{ schema: remote }] = await loader.load(url, options);
const schema = wrapSchema({ schema: remote, executor: loader.getExecutorAsync(url, options) });

/** The data of an operation that the gateway runs, which must have no error. */
async function data(document, variableValues) {
  const result = await execute({ schema, document: parse(document), variableValues });
  if (result.errors) throw result.errors[0];
  return result.data;
}

const PROJECTS = `query Projects($after: String) {
  projects(first: 2, after: $after, orderBy: { field: NAME, direction: ASC }) {
    nodes { id name }
    pageInfo { endCursor hasNextPage }
  }
}`;
const names = [];
let page = { endCursor: "", hasNextPage: true };
while (page.hasNextPage) {
  const { projects } = await data(PROJECTS, { after: page.endCursor });
  names.push(...projects.nodes.map(({ name }) => name));
  page = projects.pageInfo;
}
console.log("projects", names.join(","));

const RELEASE = `mutation Release($id: ID!) {
  releaseQuarantinedDelivery(input: { id: $id }) { userErrors { code } }
}`;
const { releaseQuarantinedDelivery } = await data(RELEASE, { id: "delivery:1" });
console.log("released", releaseQuarantinedDelivery.userErrors.map(({ code }) => code).join(","));

const EVENTS = parse("subscription Watch($after: String) { events(after: $after) { id cursor kind } }");
let { headCursor: last } = await data("{ headCursor }"); // then the cursor of the last event that was handled
for (;;) {
  // A stream ends when the service stops. The next one continues after the last event.
  try {
    const results = await subscribe({ schema, document: EVENTS, variableValues: { after: last } });
    if (results.errors) throw results.errors[0];
    for await (const { data, errors } of results) {
      if (errors) throw errors[0];
      console.log(data.events.id, data.events.kind);
      last = data.events.cursor;
    }
  } catch (problem) {
    console.error("closed:", problem.message);
  }
  await sleep(500);
}
