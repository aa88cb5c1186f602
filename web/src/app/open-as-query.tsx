import { stringifyDocument } from "@urql/core";
import type { DocumentNode } from "graphql";
import { serviceUrl } from "../base";
import { buttonClass } from "../ui/ui";
import { useKeys } from "./keys";

/** The playground with an operation. It stands behind the #, which no server and no proxy sees. */
function playgroundUrl(document: DocumentNode, variables: object): string {
  const parameters = new URLSearchParams({ query: stringifyDocument(document) });
  if (Object.keys(variables).length > 0) parameters.set("variables", JSON.stringify(variables, null, 2));
  return `${serviceUrl("playground")}#${parameters}`;
}

export function OpenAsQuery({ document, variables }: { document: DocumentNode; variables: object }) {
  useKeys({ q: () => location.assign(playgroundUrl(document, variables)) });
  return (
    <a className={buttonClass("quiet")} href={playgroundUrl(document, variables)}>
      Open as query
    </a>
  );
}
