import { cursorOf } from "./resume";

/** How many results of subscriptions are kept. */
export const LOG_SIZE_MAX = 200;

export interface Operation {
  query: string;
  operationName?: string | undefined;
  variables?: Record<string, unknown> | undefined;
}

export interface LogEntry {
  number: number;
  at: Date;
  operation: Operation;
  result: unknown;
  cursor: string | undefined;
}

let entries: readonly LogEntry[] = [];
let count = 0;
const listeners = new Set<() => void>();

function publish(next: readonly LogEntry[]) {
  entries = next;
  for (const listener of listeners) listener();
}

export const log = {
  entries: () => entries,
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
  clear: () => publish([]),
  /** Adds a result before the older ones. */
  add(operation: Operation, result: unknown, at = new Date()) {
    count += 1;
    const entry = { number: count, at, operation, result, cursor: cursorOf(result) };
    publish([entry, ...entries].slice(0, LOG_SIZE_MAX));
  },
};

/**
 * Passes the results of a subscription on, and adds each to the log. `return` ends the subscription at once, also while
 * a result is awaited; that of a generator would wait for it.
 */
export function logged(operation: Operation, results: AsyncIterable<unknown>): AsyncIterableIterator<unknown> {
  const inner = results[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const item = await inner.next();
      if (!item.done) log.add(operation, item.value);
      return item;
    },
    async return() {
      return (await inner.return?.()) ?? { done: true, value: undefined };
    },
  };
}
