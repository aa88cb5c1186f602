// Sends hashes in place of documents, as each library does. All fall back to the document.
import { createHash } from "node:crypto";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { buildHTTPExecutor } from "@graphql-tools/executor-http";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { parse } from "graphql";

const url = process.env.BIDARC_URL;
const query = "query Head { headCursor }";
let requests = 0;
const countedFetch = (...request) => {
  requests += 1;
  return fetch(...request);
};

for (const get of [false, true]) {
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: get });
  const apollo = new ApolloClient({
    cache: new InMemoryCache(),
    link: persisted.concat(new HttpLink({ uri: url, fetch: countedFetch })),
  });
  console.log("apollo", (await apollo.query({ query: gql(query) })).data.headCursor !== undefined, requests);

  const urql = new Client({
    url,
    fetch: countedFetch,
    preferGetMethod: false,
    exchanges: [persistedExchange({ preferGetForPersistedQueries: get }), fetchExchange],
  });
  console.log("urql", (await urql.query(query, {}).toPromise()).data.headCursor !== undefined, requests);

  const tools = buildHTTPExecutor({ endpoint: url, fetch: countedFetch, apq: true, useGETForHashedQueries: get });
  console.log("graphql-tools", (await tools({ document: parse(query) })).data.headCursor !== undefined, requests);
}
