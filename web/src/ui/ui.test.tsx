import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { ErrorBoundary } from "./ui";

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
