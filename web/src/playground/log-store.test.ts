import { afterEach, expect, test, vi } from "vitest";
import { log, logged } from "./log-store";

afterEach(log.clear);

const operation = { query: "subscription { eventFeed { cursor } }" };

/** A subscription whose results come when the test says so. */
function subscription() {
  let settle = (_item: IteratorResult<unknown>) => {};
  const end = vi.fn(() => {
    settle({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined } as const);
  });
  const next = () =>
    new Promise<IteratorResult<unknown>>((resolve) => {
      settle = resolve;
    });
  return {
    results: { [Symbol.asyncIterator]: () => ({ next, return: end }) },
    give: (value: unknown) => settle({ done: false, value }),
    end,
  };
}

test("results pass through the log until the subscription is stopped", async () => {
  const { results, give, end } = subscription();
  const stream = logged(operation, results);
  const seen: unknown[] = [];
  const loop = (async () => {
    for await (const result of stream) seen.push(result);
  })();
  await Promise.resolve();
  give(1);
  await vi.waitFor(() => expect(seen).toEqual([1]));
  void stream.return?.();
  // At once, and not only with the next result.
  expect(end).toHaveBeenCalledOnce();
  await loop;
  give(2);
  expect(seen).toEqual([1]);
  expect(log.entries().map(({ result }) => result)).toEqual([1]);
});
