import { act, cleanup, render, screen } from "@testing-library/react";
import { CombinedError } from "@urql/core";
import { afterEach, expect, test, vi } from "vitest";
import { ErrorBoundary, Outdated } from "./ui";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

test("a part that is broken says why and loads the page again", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const reload = vi.spyOn(location, "reload").mockImplementation(() => {});
  function Broken(): never {
    throw new Error("Failed to fetch dynamically imported module");
  }
  render(
    <ErrorBoundary>
      <Broken />
    </ErrorBoundary>,
  );
  expect(screen.getByRole("alert").textContent).toContain("Failed to fetch dynamically imported module");
  act(() => screen.getByRole("button", { name: "Load the page again" }).click());
  expect(reload).toHaveBeenCalledOnce();
});

test.each([
  ["UNAVAILABLE", "Newer data could not be fetched; the page tries again every 15 seconds. no (UNAVAILABLE)"],
  ["INTERNAL", "A part of the data could not be fetched. no (INTERNAL)"],
])("beside data, %s says whether the page tries again", (code, text) => {
  render(<Outdated error={new CombinedError({ graphQLErrors: [{ message: "no", extensions: { code } }] })} />);
  expect(screen.getByRole("status").textContent).toBe(text);
});
