import { type DocumentNode, Kind, type OperationDefinitionNode, parse } from "graphql";

/** A document as it is sent, and the operation of it that runs. */
export interface Chosen {
  document: DocumentNode;
  operationName: string | null;
}

/**
 * The operation that `query` runs. GraphiQL's own state is up to 100 ms behind its editor: right after a change of tabs, it has
 * the name and the document of before. The only operation of a document needs no name to be found; one of several has the
 * name that was given. A query that cannot be parsed has none: the service says what is wrong with it.
 */
export function chosenIn(query: string, name: string | null | undefined): Chosen | undefined {
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch {
    return undefined;
  }
  const operations = document.definitions.filter(
    (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const [only] = operations;
  return { document, operationName: (operations.length === 1 ? only?.name?.value : name) ?? null };
}
