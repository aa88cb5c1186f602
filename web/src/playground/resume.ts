import { type DocumentNode, Kind, type OperationDefinitionNode, parse, print, visit } from "graphql";

/** The cursor of a subscription's result: the one that the root field's value has. */
export function cursorOf(result: unknown): string | undefined {
  const data = (result as { data?: Record<string, unknown> | null })?.data;
  if (!data) return undefined;
  for (const value of Object.values(data)) {
    const cursor = (value as { cursor?: unknown } | null)?.cursor;
    if (typeof cursor === "string") return cursor;
  }
  return undefined;
}

function isSubscription(name: string | undefined) {
  return (definition: DocumentNode["definitions"][number]): definition is OperationDefinitionNode =>
    definition.kind === Kind.OPERATION_DEFINITION &&
    definition.operation === "subscription" &&
    (!name || definition.name?.value === name);
}

/** A document whose subscription starts after `$after`, unless its root field names another variable there already. */
export function withAfter(query: string, operationName: string | undefined): { query: string; variable: string } {
  const document = parse(query);
  const operation = document.definitions.find(isSubscription(operationName));
  const root = operation?.selectionSet.selections.find((selection) => selection.kind === Kind.FIELD);
  if (!operation || !root) throw new Error("the document has no subscription");
  const given = root.arguments?.find((argument) => argument.name.value === "after")?.value;
  if (given?.kind === Kind.VARIABLE) return { query, variable: given.name.value };
  const after = { kind: Kind.NAME, value: "after" } as const;
  const variable = { kind: Kind.VARIABLE, name: after } as const;
  const others = (root.arguments ?? []).filter((argument) => argument.name.value !== "after");
  const edited = visit(document, {
    [Kind.OPERATION_DEFINITION]: (node: OperationDefinitionNode) =>
      node === operation
        ? {
            ...node,
            variableDefinitions: [
              ...(node.variableDefinitions ?? []),
              {
                kind: Kind.VARIABLE_DEFINITION,
                variable,
                type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: "String" } },
              },
            ],
            selectionSet: {
              ...node.selectionSet,
              selections: node.selectionSet.selections.map((selection) =>
                selection === root
                  ? { ...root, arguments: [...others, { kind: Kind.ARGUMENT, name: after, value: variable }] }
                  : selection,
              ),
            },
          }
        : undefined,
  });
  return { query: print(edited), variable: "after" };
}
