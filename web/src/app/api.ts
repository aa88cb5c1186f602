import { Client, type CombinedError, cacheExchange, fetchExchange } from "@urql/core";
import { serviceUrl } from "../base";

/** Queries and mutations. The cookie of the session is sent by the browser; the page never sees it. */
function makeApi(): Client {
  return new Client({
    url: serviceUrl("graphql"),
    exchanges: [cacheExchange, fetchExchange],
    // A query in a URL would be in the logs of proxies.
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    fetchOptions: { credentials: "same-origin" },
  });
}

/** The day, as `useDay("UTC")` counts it. */
const dayOfNow = () => Math.floor(Date.now() / 86_400_000);

let current = { client: makeApi(), day: dayOfNow() };

/**
 * The client of this session and day. The document cache keeps every answer, and a page that stays open asks with new
 * variables each quarter of an hour, so each day has a cache of its own.
 */
export function currentApi(): Client {
  if (current.day !== dayOfNow()) renewApi();
  return current.client;
}

/** Begins a session with a client of its own: no answer of the session before is shown, or waited for. */
export function renewApi() {
  current = { client: makeApi(), day: dayOfNow() };
}

function code(error: CombinedError): unknown {
  return error.graphQLErrors[0]?.extensions.code;
}

/** Whether the service asks for a key. */
export function isUnauthenticated(problem: unknown): boolean {
  const error = problem as CombinedError | undefined;
  return error?.name === "CombinedError" && (error.response?.status === 401 || code(error) === "UNAUTHENTICATED");
}

/** Whether the same request may be answered a moment later: the service, or its database, cannot be reached. */
export function isTemporary(error: CombinedError | undefined): boolean {
  if (!error || isUnauthenticated(error)) return false;
  return error.networkError !== undefined || code(error) === "UNAVAILABLE";
}

/** Whether the key's scope does not allow it. */
export function isForbidden(error: CombinedError): boolean {
  return code(error) === "FORBIDDEN";
}

/** Whether the answer would need more than a request may read. */
export function isTooLarge(error: CombinedError | undefined): boolean {
  return error !== undefined && code(error) === "LIMIT_EXCEEDED";
}

/** The error in words, with its code. */
export function errorText(error: CombinedError): string {
  if (error.networkError) return "The service cannot be reached right now.";
  const message = error.graphQLErrors[0]?.message ?? error.message;
  const name = code(error);
  return typeof name === "string" ? `${message} (${name})` : message;
}
