import { setTimeout as sleep } from "node:timers/promises";
import { buildHTTPExecutor } from "@graphql-tools/executor-http";
import { parse } from "graphql";

const endpoint = process.env.BIDARC_URL ?? "http://127.0.0.1:8080/graphql";
const token = process.env.BIDARC_TOKEN; // a key's token; open mode needs none

const execute = buildHTTPExecutor({ endpoint, headers: token ? { Authorization: `Bearer ${token}` } : {} });

/** The data of a result, which must have no error. */
async function data(document, variables) {
  const result = await execute({ document: parse(document), variables });
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
    const results = await execute({ document: EVENTS, variables: { after: last } });
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
