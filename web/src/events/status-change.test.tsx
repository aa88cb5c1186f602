import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import type { EventRow } from "../live/feeds";
import { StatusChange } from "./status-change";

const text = (change: object) => {
  const event = { __typename: "ProposalEvent", ...change } as EventRow;
  return render(<StatusChange event={event} />).container.textContent?.trim();
};

test("a change names both statuses, and one that stays is named once", () => {
  expect(text({ status: "ACCEPTED", previousStatus: "PENDING" })).toBe("Pending to → Accepted");
  expect(text({ status: "PENDING", previousStatus: "PENDING" })).toBe("Pending");
  expect(text({ status: "DRAFT", previousStatus: null })).toBe("Draft");
  expect(text({ status: null, previousStatus: "PENDING" })).toBe("");
});
