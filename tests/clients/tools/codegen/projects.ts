import { graphql } from "./generated/gql.js";
import type { TypedDocumentString } from "./generated/graphql.js";

const PROJECTS = graphql(`query Projects($filter: ProjectFilter) {
  projects(first: 20, filter: $filter) {
    nodes { name lastEventAt events(first: 1) { nodes { kind payload } } }
  }
}`);

async function execute<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const answer = await fetch("http://127.0.0.1:8080/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json" }, // and Authorization with a key
    body: JSON.stringify({ query: document, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

const { projects } = await execute(PROJECTS, { filter: { nameContains: "gutters" } });
for (const { name, lastEventAt, events } of projects.nodes) {
  console.log(name, lastEventAt.slice(0, 4), events.nodes[0]?.kind);
}
