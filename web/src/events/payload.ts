import { isLosslessNumber, parse, stringify } from "lossless-json";

/** A value of JSON; a number keeps its digits. */
export type Json = unknown;

/** The `data` of a delivery's text; undefined if the text is not an envelope. Numbers keep every digit. */
export function payloadOf(body: string): Json | undefined {
  try {
    const envelope = parse(body);
    const data = (envelope as { data?: Json } | null)?.data;
    return data === undefined ? envelope : data;
  } catch {
    return undefined;
  }
}

export function isScalar(value: Json): boolean {
  return value === null || typeof value !== "object" || isLosslessNumber(value);
}

/** A scalar as JSON writes it. */
export function scalarText(value: Json): string {
  return stringify(value) ?? "";
}

export function pretty(value: Json): string {
  return stringify(value, undefined, 2) ?? "";
}

/** Every scalar of a value by its path: `customer.name`, `tags[0]`. An empty list or object is one too. */
export function flatten(value: Json, path = "", into = new Map<string, string>()): Map<string, string> {
  const entries = isScalar(value) ? [] : Object.entries(value as object);
  if (entries.length === 0) into.set(path, scalarText(value));
  for (const [key, item] of entries) {
    const step = Array.isArray(value) ? `[${key}]` : path ? `.${key}` : key;
    flatten(item, `${path}${step}`, into);
  }
  return into;
}

export interface Change {
  path: string;
  before: string | undefined;
  after: string | undefined;
}

/** What differs between two values, in the order of the later one; then what it no longer has. */
export function changes(before: Json, after: Json): Change[] {
  const [old, now] = [flatten(before), flatten(after)];
  const changed = [...now].filter(([path, text]) => old.get(path) !== text);
  const removed = [...old].filter(([path]) => !now.has(path));
  return [
    ...changed.map(([path, text]) => ({ path, before: old.get(path), after: text })),
    ...removed.map(([path, text]) => ({ path, before: text, after: undefined })),
  ];
}
