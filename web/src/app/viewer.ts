import { ViewerDocument, type ViewerQuery } from "../gql/graphql";
import { useApi } from "./use-api";

/** Who this page is signed in as; undefined until that is known. */
export function useViewer(): ViewerQuery["viewer"] | undefined {
  return useApi(ViewerDocument, {}).data?.viewer;
}

/** Why the viewer may change nothing; undefined if it may. */
export function useReadOnly(): string | undefined {
  const viewer = useViewer();
  if (viewer?.scope !== "READ") return undefined;
  return `The key “${viewer.name}” may only read. Sign in with a key of the scope manage.`;
}
