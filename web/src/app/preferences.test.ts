import { afterEach, expect, test, vi } from "vitest";
import { preferences } from "./preferences";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a preference holds although the browser stores nothing", () => {
  const seen = vi.fn();
  const unsubscribe = preferences.subscribe(seen);
  const store = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  preferences.set({ theme: "dark" });
  expect(store).toHaveBeenCalled();
  expect(preferences.get().theme).toBe("dark");
  expect(seen).toHaveBeenCalledOnce();
  unsubscribe();
});
