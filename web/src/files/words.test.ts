import { describe, expect, test } from "vitest";
import { canRetry, isInDanger, outlook, type StoredFile, servicePath, size } from "./words";

const now = Date.parse("2026-03-02T12:00:00Z");

function file(change: Partial<StoredFile>): StoredFile {
  return {
    id: "file:1",
    kind: "PDF",
    name: null,
    state: "PENDING",
    url: null,
    thumbnailUrl: null,
    sizeBytes: null,
    storedAt: null,
    expiresAt: "2026-03-03T12:00:00Z",
    problem: null,
    ...change,
  };
}

const soon = "2026-03-02T17:59:00Z";
const past = "2026-03-02T11:59:59Z";

test("a file is in danger in the last six hours of its link, and not once it is lost or stored", () => {
  expect(isInDanger(file({}), now)).toBe(false);
  expect(isInDanger(file({ expiresAt: soon }), now)).toBe(true);
  expect(isInDanger(file({ expiresAt: past }), now)).toBe(false);
  for (const state of ["STORED", "EXPIRED", "REFUSED", "FAILED"] as const)
    expect(isInDanger(file({ state, expiresAt: soon }), now)).toBe(false);
});

test("another try is offered where it can help", () => {
  expect(canRetry(file({}), now)).toBe(false);
  expect(canRetry(file({ problem: "the host is busy" }), now)).toBe(true);
  expect(canRetry(file({ problem: "the host is busy", expiresAt: past }), now)).toBe(false);
  expect(canRetry(file({ state: "FAILED", problem: "it is gone" }), now)).toBe(true);
  // Removed after some days, with a link that lives longer than they are.
  expect(canRetry(file({ state: "EXPIRED" }), now)).toBe(true);
  expect(canRetry(file({ state: "EXPIRED", expiresAt: past }), now)).toBe(false);
  expect(canRetry(file({ state: "REFUSED", problem: "the host is not allowed" }), now)).toBe(false);
  expect(canRetry(file({ state: "STORED" }), now)).toBe(false);
});

test("a file that waits will be tried again; one that is lost needs a fresh link", () => {
  expect(outlook(file({ problem: "the host is busy" }), now)).toContain("will be tried again");
  expect(outlook(file({ state: "EXPIRED", expiresAt: past }), now)).toContain("fresh link");
  expect(outlook(file({ state: "FAILED" }), now)).toBe("It is not tried again by itself.");
});

test("sizes", () => {
  expect([1, 999, 1000, 340_400, 2_500_000, 31_000_000, 2_147_483_647].map(size)).toEqual([
    "1 byte",
    "999 bytes",
    "1 kB",
    "340 kB",
    "2.5 MB",
    "31 MB",
    "2 GB or more",
  ]);
});

describe("the path of a file", () => {
  test.each(["", "/bidarc", "https://bidarc.example.com", "https://example.com/files/bidarc"])("below %j", (base) => {
    expect(servicePath(`${base}/files/42/drawing-42.pdf?digest=1`)).toBe("files/42/drawing-42.pdf?digest=1");
  });
});
