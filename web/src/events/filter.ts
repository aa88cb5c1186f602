// The filter of a list of events, as the URL has it: a link is a view.
import type { EventFilter, EventKind, Provider } from "../gql/graphql";
import { kinds, kindWords, providers } from "./words";

const subjects = { proposal: "proposalId", client: "clientId", project: "projectId", drawing: "drawingId" } as const;

type SubjectName = keyof typeof subjects;

/** One condition: a property of the URL, its value there, and whether the value is excluded. */
export interface Condition {
  property: "vendor" | "kind" | "from" | "before" | SubjectName;
  value: string;
  not: boolean;
}

const isSubject = (property: string): property is SubjectName => Object.hasOwn(subjects, property);

const upper = (text: string) => text.toUpperCase().replaceAll("-", "_");
export const lower = (text: string) => text.toLowerCase().replaceAll("_", "-");

/** The properties that may be excluded. */
export function canExclude({ property }: Pick<Condition, "property">): boolean {
  return property === "vendor" || property === "kind";
}

export function parseConditions(parameters: URLSearchParams): Condition[] {
  const conditions: Condition[] = [];
  for (const [name, value] of parameters) {
    const not = name.startsWith("not-");
    const property = not ? name.slice(4) : name;
    const isKnown =
      (property === "vendor" && Object.hasOwn(providers, upper(value))) ||
      (property === "kind" && Object.hasOwn(kinds, upper(value))) ||
      (!not && (isSubject(property) || ((property === "from" || property === "before") && isDay(value))));
    if (isKnown && value) conditions.push({ property: property as Condition["property"], value, not });
  }
  return conditions;
}

const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));

/** Replaces the conditions in the parameters of a URL; the others stay. */
export function writeConditions(parameters: URLSearchParams, conditions: readonly Condition[]): URLSearchParams {
  const names = ["vendor", "kind", "from", "before", ...Object.keys(subjects)];
  const written = new URLSearchParams(parameters);
  for (const name of names) {
    written.delete(name);
    written.delete(`not-${name}`);
  }
  for (const { property, value, not } of conditions) written.append(not ? `not-${property}` : property, value);
  return written;
}

/** Adds a condition. One property has either included or excluded values; a subject and a day have one value. */
export function withCondition(conditions: readonly Condition[], added: Condition): Condition[] {
  const isList = added.property === "vendor" || added.property === "kind";
  const kept = conditions.filter(
    ({ property, value, not }) => property !== added.property || (isList && not === added.not && value !== added.value),
  );
  return [...kept, added];
}

/** Values that are included, or all but the excluded ones. */
function list<T extends string>(
  conditions: readonly Condition[],
  property: string,
  all: readonly T[],
): T[] | undefined {
  const of = (not: boolean) =>
    conditions
      .filter((condition) => condition.property === property && condition.not === not)
      .map(({ value }) => upper(value));
  const [included, excluded] = [of(false), of(true)];
  if (included.length === 0 && excluded.length === 0) return undefined;
  return all.filter((value) => (included.length === 0 || included.includes(value)) && !excluded.includes(value));
}

/** The start of a day in the viewer's time zone. */
const startOfDay = (day: string) => new Date(`${day}T00:00:00`).toISOString();

/** The service's filter. Null without conditions. */
export function toEventFilter(conditions: readonly Condition[]): EventFilter | null {
  const filter: EventFilter = {};
  const provider = list(conditions, "vendor", Object.keys(providers) as Provider[]);
  if (provider) filter.provider = provider;
  const kind = list(conditions, "kind", Object.keys(kinds) as EventKind[]);
  if (kind) filter.kind = kind;
  for (const { property, value } of conditions) {
    if (isSubject(property)) filter[subjects[property]] = `${property}:${value}`;
    if (property === "from") filter.receivedFrom = startOfDay(value);
    if (property === "before") filter.receivedBefore = startOfDay(value);
  }
  return Object.keys(filter).length > 0 ? filter : null;
}

/** The condition in words: the property, and the value. */
export function conditionWords({ property, value }: Condition): [string, string] {
  switch (property) {
    case "vendor":
      return ["Vendor", providers[upper(value) as Provider]];
    case "kind":
      return ["What", kindWords(upper(value)).label];
    case "from":
      return ["From", value];
    case "before":
      return ["Before", value];
    default:
      return [property.charAt(0).toUpperCase() + property.slice(1), value];
  }
}
