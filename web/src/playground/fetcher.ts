import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { createClient } from "graphql-ws";
import { serviceUrl, socketUrl } from "../base";
import { logged } from "./log-store";
import { chosenIn } from "./operation";

// Sockets use the token of the tab "Headers" too. The client opens a socket for the first subscription and closes it after the
// last, so a new socket has the current token.
let authorization: string | undefined;

const socket = createClient({
  url: socketUrl(),
  connectionParams: () => (authorization ? { Authorization: authorization } : {}),
  keepAlive: 10_000,
  // 4403 means that the token was refused. The same one will be refused again.
  shouldRetry: (event) => (event as CloseEvent)?.code !== 4403,
});

let isRefused = false;
const listeners = new Set<() => void>();

/** Whether the service asked for a key that this page does not have. */
export const refusal = {
  get: () => isRefused,
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
};

async function fetchAndNote(...request: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...request);
  isRefused = response.status === 401;
  for (const listener of listeners) listener();
  return response;
}

const send = createGraphiQLFetcher({
  fetch: fetchAndNote,
  url: serviceUrl("graphql"),
  wsClient: socket,
  enableIncrementalDelivery: false,
});

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

export const fetcher: Fetcher = async (given, options) => {
  const headers = Object.entries(options?.headers ?? {}) as [string, string][];
  authorization = headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];
  const chosen = chosenIn(given.query, given.operationName);
  const parameters = chosen ? { ...given, operationName: chosen.operationName } : given;
  const result = await send(parameters, { ...options, ...(chosen && { documentAST: chosen.document }) });
  if (!isIterable(result)) return result;
  const { query, operationName, variables } = parameters;
  const operation = {
    query,
    operationName: operationName ?? undefined,
    variables: variables as Record<string, unknown>,
  };
  return logged(operation, result) as Awaited<ReturnType<Fetcher>>;
};
