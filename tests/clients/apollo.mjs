import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { RetryLink } from "@apollo/client/link/retry";
import { relayStylePagination } from "@apollo/client/utilities";

const uri = process.env.BIDARC_URL ?? "http://127.0.0.1:8080/graphql";
const token = process.env.BIDARC_TOKEN; // a key's token; open mode needs none

let last; // the cursor of the last event that was handled; none: live only
const isSubscription = (operation) => operation.operationType === "subscription";

const client = new ApolloClient({
  link: ApolloLink.from([
    // Subscribes again when the connection ends before the subscription does.
    new RetryLink({ delay: { initial: 500, max: 5000 }, attempts: (_count, operation) => isSubscription(operation) }),
    new ApolloLink((operation, forward) => {
      const resume = isSubscription(operation) && last ? { "Last-Event-ID": last } : {};
      operation.setContext(({ headers }) => ({ headers: { ...headers, ...resume } }));
      return forward(operation);
    }),
    new HttpLink({ uri, headers: token ? { Authorization: `Bearer ${token}` } : {} }),
  ]),
  cache: new InMemoryCache({
    typePolicies: { Query: { fields: { projects: relayStylePagination(["filter", "orderBy"]) } } },
  }),
});

const PROJECTS = gql`query Projects($first: Int, $after: String) {
  projects(first: $first, after: $after, orderBy: { field: NAME, direction: ASC }) {
    edges { cursor node { id name } }
    pageInfo { startCursor endCursor hasPreviousPage hasNextPage }
  }
}`;
let projects;
let after = ""; // the first page
do {
  // The cache appends the page to those before, and gives all of them.
  const { data } = await client.query({ query: PROJECTS, variables: { first: 2, after }, fetchPolicy: "network-only" });
  projects = data.projects;
  after = projects.pageInfo.endCursor;
} while (projects.pageInfo.hasNextPage);
console.log("projects", projects.edges.map(({ node }) => node.name).join(","));

const RELEASE = gql`mutation Release($id: ID!) {
  releaseQuarantinedDelivery(input: { id: $id }) { userErrors { code } }
}`;
const released = await client.mutate({ mutation: RELEASE, variables: { id: "delivery:1" } });
console.log("released", released.data.releaseQuarantinedDelivery.userErrors.map(({ code }) => code).join(","));

last = (await client.query({ query: gql`{ headCursor }` })).data.headCursor;
client.subscribe({ query: gql`subscription Watch { events { id cursor kind } }` }).subscribe({
  next({ data, error }) {
    if (error) throw error;
    console.log(data.events.id, data.events.kind);
    last = data.events.cursor;
  },
  error(problem) {
    console.error("retrying will not help:", problem.message);
    process.exitCode = 1;
  },
});
