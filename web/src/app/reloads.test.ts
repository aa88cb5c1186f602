import { expect, test } from "vitest";
import { RELOAD_AGAIN_MS, type Reloads, withReload } from "./reloads";

test("between two versions a tab reloads once for each, and again after a while", () => {
  let reloads: Reloads = {};
  const reload = (pages: string, now: number) => {
    const next = withReload(reloads, pages, now);
    reloads = next ?? reloads;
    return next !== undefined;
  };
  expect([reload("a", 0), reload("b", 1), reload("a", 2), reload("b", 3)]).toEqual([true, true, false, false]);
  expect([reload("a", RELOAD_AGAIN_MS - 1), reload("a", RELOAD_AGAIN_MS)]).toEqual([false, true]);
});

test("a clock that was set back does not hold a reload", () => {
  expect(withReload({ a: 5 * RELOAD_AGAIN_MS }, "a", 0)).toEqual({ a: 0 });
});

test("old reloads are forgotten", () => {
  expect(withReload({ a: 0, b: 5 }, "c", RELOAD_AGAIN_MS)).toEqual({ b: 5, c: RELOAD_AGAIN_MS });
});
