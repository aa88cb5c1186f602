import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { type AnyVariables, type CombinedError, createRequest } from "@urql/core";
import { useCallback, useEffect, useRef } from "react";
import { type UseQueryArgs, useQuery } from "urql";
import { isTemporary, isUnauthenticated } from "./api";
import { requireSignIn } from "./session";

export interface ApiResult<Data, Variables> {
  /** The last answer. While the first answer to other variables is fetched it is of the variables before. */
  data: Data | undefined;
  /** The variables that `data` answers. */
  answered: Variables | undefined;
  /** Whether `data` is the answer to the variables of now. */
  isCurrent: boolean;
  error: CombinedError | undefined;
  /** Also while an answer of the cache is shown until the service's is here. */
  isFetching: boolean;
  /** Makes the query again: now, or once the answer that is under way is here. */
  refetch: () => void;
}

interface Options {
  pause?: boolean;
  /** After a failure an answer to other variables stays too if it was of the same subject. */
  subject?: string;
}

/** How long after a failure that may pass the service is asked again. */
export const RETRY_MILLISECONDS = 15_000;

/** The service takes 10 seconds at most, unless it is set otherwise. An older request was lost with its connection. */
const LOST_MILLISECONDS = 60_000;

/**
 * A query that is made again after a sign-in, and after a failure that may pass. The answer that was shown stays while
 * the query is made again. After such a failure it stays beside the error.
 */
export function useApi<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { pause = false, subject }: Options = {},
): ApiResult<Data, Variables> {
  const [result, fetchAgain] = useQuery<Data, Variables>({
    query,
    variables,
    pause,
  } as UseQueryArgs<Variables, Data>);
  const { error, fetching, stale, operation } = result;
  const { key } = createRequest(query, variables);
  const about = subject ?? key;
  // An answer has holes where the service could not read, and the next one may have none.
  const answer = isTemporary(error) ? undefined : result.data;
  const last = useRef<{ about: string | number; data: Data; variables: Variables }>(undefined);
  if (answer && operation?.key === key) last.current = { about, data: answer, variables };
  const kept = isTemporary(error) && last.current?.about === about ? last.current : undefined;
  const data = kept ? kept.data : answer;
  useEffect(() => {
    if (isUnauthenticated(error)) requireSignIn();
  }, [error]);
  const isFetching = fetching || stale;
  // urql gives up the request that is under way for the next one.
  const askedAt = useRef<number>(undefined);
  const isDue = useRef(false);
  const refetch = useCallback(() => {
    isDue.current = askedAt.current !== undefined && Date.now() - askedAt.current < LOST_MILLISECONDS;
    if (isDue.current) return;
    askedAt.current = Date.now();
    fetchAgain({ requestPolicy: "network-only" });
  }, [fetchAgain]);
  useEffect(() => {
    if (result.fetching || result.stale) askedAt.current ??= Date.now();
    else askedAt.current = undefined;
    if (isDue.current) refetch();
  }, [result, refetch]);
  useEffect(() => {
    if (!isTemporary(error) || isFetching) return;
    const timer = setTimeout(refetch, RETRY_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [error, isFetching, refetch]);
  return {
    data,
    answered: kept ? kept.variables : answer && operation?.variables,
    isCurrent: data !== undefined && operation?.key === key,
    error,
    isFetching,
    refetch,
  };
}
