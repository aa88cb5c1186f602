import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import type { AnyVariables, CombinedError } from "@urql/core";
import { useCallback, useEffect } from "react";
import { type UseQueryArgs, useQuery } from "urql";
import { isUnauthenticated } from "./api";
import { requireSignIn } from "./session";

export interface ApiResult<Data> {
  data: Data | undefined;
  error: CombinedError | undefined;
  isFetching: boolean;
  refetch: () => void;
}

/** A query that is made again after a sign-in. What was shown stays while it is fetched again. */
export function useApi<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  options: { pause?: boolean } = {},
): ApiResult<Data> {
  const [result, fetchAgain] = useQuery<Data, Variables>({
    query,
    variables,
    pause: options.pause ?? false,
  } as UseQueryArgs<Variables, Data>);
  const { data, error, fetching } = result;
  useEffect(() => {
    if (isUnauthenticated(error)) requireSignIn();
  }, [error]);
  const refetch = useCallback(() => fetchAgain({ requestPolicy: "network-only" }), [fetchAgain]);
  return { data, error, isFetching: fetching, refetch };
}
