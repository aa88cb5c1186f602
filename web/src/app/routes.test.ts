import { expect, test } from "vitest";
import { routes } from "./routes";

test("every route that the service answers has a page, and no page lacks a route", () => {
  expect(routes.filter(({ page }) => !page)).toEqual([]);
  expect(routes).toHaveLength(11);
});
