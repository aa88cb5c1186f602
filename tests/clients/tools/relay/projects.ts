import { type IEnvironment, commitMutation, fetchQuery, graphql, requestSubscription } from "relay-runtime";
import type { projectsQuery } from "./__generated__/projectsQuery.graphql.js";
import type { projectsReleaseMutation } from "./__generated__/projectsReleaseMutation.graphql.js";
import type { projectsWatchSubscription } from "./__generated__/projectsWatchSubscription.graphql.js";

export const ProjectList = graphql`
  fragment projects_list on Query
  @refetchable(queryName: "projectsPageQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
    projects(first: $first, after: $after, orderBy: { field: NAME, direction: ASC }) @connection(key: "list_projects") {
      edges { node { id name lastEventAt } }
    }
  }
`;

export async function headCursor(environment: IEnvironment): Promise<string | undefined> {
  const query = graphql`query projectsQuery { headCursor ...projects_list }`;
  return (await fetchQuery<projectsQuery>(environment, query, {}).toPromise())?.headCursor;
}

export function release(environment: IEnvironment, id: string, refused: (reason: string) => void): void {
  commitMutation<projectsReleaseMutation>(environment, {
    mutation: graphql`
      mutation projectsReleaseMutation($input: ReleaseQuarantinedDeliveryInput!) {
        releaseQuarantinedDelivery(input: $input) { event { id kind } userErrors { code message } }
      }
    `,
    variables: { input: { id } },
    onCompleted: ({ releaseQuarantinedDelivery: { userErrors } }) => userErrors.forEach(({ message }) => refused(message)),
  });
}

export function watch(environment: IEnvironment, after: string, handle: (kind: string, cursor: string) => void) {
  return requestSubscription<projectsWatchSubscription>(environment, {
    subscription: graphql`
      subscription projectsWatchSubscription($after: String) {
        events(after: $after) { id cursor kind payload ... on ProposalEvent { proposal { id total } } }
      }
    `,
    variables: { after },
    onNext: (data) => data && handle(data.events.kind, data.events.cursor),
  });
}
