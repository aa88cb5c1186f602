import { expect, test } from "vitest";
import { isAccepted } from "./words";

test("an acceptance counts once, whichever vendor tells of it", () => {
  expect(isAccepted({ kind: "PROPOSAL_ACCEPTED", status: "ACCEPTED", previousStatus: "VIEWED" })).toBe(true);
  for (const kind of ["PROPOSAL_STATUS_CHANGED", "PROPOSAL_APPROVED"]) {
    expect(isAccepted({ kind, status: "ACCEPTED", previousStatus: "PENDING" })).toBe(true);
    expect(isAccepted({ kind, status: "ACCEPTED", previousStatus: null })).toBe(true);
    // The other of the two has told of it.
    expect(isAccepted({ kind, status: "ACCEPTED", previousStatus: "ACCEPTED" })).toBe(false);
    expect(isAccepted({ kind, status: "DECLINED", previousStatus: "PENDING" })).toBe(false);
    expect(isAccepted({ kind })).toBe(false);
  }
  expect(isAccepted({ kind: "PROPOSAL_VIEWED", status: "ACCEPTED", previousStatus: "PENDING" })).toBe(false);
});
