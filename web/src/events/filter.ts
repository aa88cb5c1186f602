// The filter of a list of events, as the URL has it: a link is a view.
import type { EventFilter, EventKind, Provider } from "../gql/graphql";
import { startOfDay } from "../ui/zone";
import { kinds, kindWords, providers } from "./words";

const subjects = { proposal: "proposalId", client: "clientId", project: "projectId", drawing: "drawingId" } as const;

type SubjectName = keyof typeof subjects;

/** One condition: a property of the URL, its value there, and whether the value is excluded. */
export interface Condition {
  property: "vendor" | "kind" | "vendor-type" | "text" | "redelivered" | "from" | "before" | SubjectName;
  value: string;
  not: boolean;
}

/** How many characters a text to look for may have, without white space at its ends. */
export const TEXT_MIN = 3;
export const TEXT_MAX = 200;

const isSubject = (property: string): property is SubjectName => Object.hasOwn(subjects, property);

const upper = (text: string) => text.toUpperCase().replaceAll("-", "_");
export const lower = (text: string) => text.toLowerCase().replaceAll("_", "-");

/** The properties that may be excluded. */
export function canExclude({ property }: Pick<Condition, "property">): boolean {
  return property === "vendor" || property === "kind";
}

/** The properties that may have several values. */
const isList = (property: string) => property === "vendor" || property === "kind" || property === "vendor-type";

/** Whether the service looks for this text. */
export function isText(value: string): boolean {
  const { length } = [...value.trim()];
  return length >= TEXT_MIN && length <= TEXT_MAX;
}

/** Whether a value of a property that is not excluded means something. */
function isIncluded(property: string, value: string): boolean {
  switch (property) {
    case "from":
    case "before":
      return isDay(value);
    case "text":
      return isText(value);
    case "redelivered":
      return value === "yes" || value === "no";
    default:
      return property === "vendor-type" || isSubject(property);
  }
}

export function parseConditions(parameters: URLSearchParams): Condition[] {
  const conditions: Condition[] = [];
  for (const [name, value] of parameters) {
    const not = name.startsWith("not-");
    const property = not ? name.slice(4) : name;
    const isKnown =
      (property === "vendor" && Object.hasOwn(providers, upper(value))) ||
      (property === "kind" && Object.hasOwn(kinds, upper(value))) ||
      (!not && isIncluded(property, value));
    if (isKnown && value) conditions.push({ property: property as Condition["property"], value, not });
  }
  return conditions;
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  // Browsers take 30 February for a day in March.
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Replaces the conditions in the parameters of a URL; the others stay. */
export function writeConditions(parameters: URLSearchParams, conditions: readonly Condition[]): URLSearchParams {
  const names = ["vendor", "kind", "vendor-type", "text", "redelivered", "from", "before", ...Object.keys(subjects)];
  const written = new URLSearchParams(parameters);
  for (const name of names) {
    written.delete(name);
    written.delete(`not-${name}`);
  }
  for (const { property, value, not } of conditions) written.append(not ? `not-${property}` : property, value);
  return written;
}

/** Adds a condition. One property has either included or excluded values; one that is no list has one value. */
export function withCondition(conditions: readonly Condition[], added: Condition): Condition[] {
  const kept = conditions.filter(
    ({ property, value, not }) =>
      property !== added.property || (isList(property) && not === added.not && value !== added.value),
  );
  return [...kept, added];
}

/** The service's filter. Null without conditions. Days begin by the clocks of `zone`. */
export function toEventFilter(conditions: readonly Condition[], zone: string): EventFilter | null {
  const filter: EventFilter = {};
  const values = (name: Condition["property"], excluded = false) => {
    const found = conditions.filter(({ property, not }) => property === name && not === excluded);
    return found.length > 0 ? found.map(({ value }) => value) : undefined;
  };
  const providersIn = values("vendor")?.map(upper) ?? Object.keys(providers);
  const providersOut = values("vendor", true)?.map(upper) ?? [];
  // There are two vendors, and the service has no condition for all but one.
  if (values("vendor") || values("vendor", true))
    filter.provider = providersIn.filter((name) => !providersOut.includes(name)) as Provider[];
  const kind = values("kind")?.map(upper) as EventKind[] | undefined;
  if (kind) filter.kind = kind;
  // What is excluded is said to the service: a kind that a later version adds is not among these.
  const kindNot = values("kind", true)?.map(upper) as EventKind[] | undefined;
  if (kindNot) filter.kindNot = kindNot;
  const vendorType = values("vendor-type");
  if (vendorType) filter.vendorType = vendorType;
  for (const { property, value } of conditions) {
    if (isSubject(property)) filter[subjects[property]] = `${property}:${value}`;
    if (property === "text") filter.payloadContains = value;
    if (property === "redelivered") filter.redelivered = value === "yes";
    if (property === "from") filter.receivedFrom = startOfDay(value, zone).toISOString();
    if (property === "before") filter.receivedBefore = startOfDay(value, zone).toISOString();
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
    case "vendor-type":
      return ["Vendor's type", value];
    case "text":
      return ["Body", value];
    case "redelivered":
      return ["Redelivered", value];
    case "from":
      return ["From", value];
    case "before":
      return ["Before", value];
    default:
      return [property.charAt(0).toUpperCase() + property.slice(1), value];
  }
}
