import { describe, expect, test } from "vitest";
import { type Condition, parseConditions, toEventFilter, withCondition, writeConditions } from "./filter";

const parse = (text: string) => parseConditions(new URLSearchParams(text));
const write = (conditions: Condition[], before = "") =>
  writeConditions(new URLSearchParams(before), conditions).toString();

describe("filters in the URL", () => {
  test("are read and written alike", () => {
    for (const text of [
      "",
      "vendor=arcsite",
      "kind=proposal-accepted&kind=proposal-declined",
      "not-kind=drawing-updated&vendor=bidsketch",
      "proposal=bidsketch%3A11051955&from=2026-03-02",
      "vendor-type=proposal.signed&vendor-type=client_created&text=Quarry+Lane&redelivered=no",
    ]) {
      expect(write(parse(text))).toBe(text);
    }
  });

  test("ignore what is not a condition, and leave it in the URL", () => {
    expect(parse("vendor=other&kind=&not-client=1&from=soon&event=4&constructor=1&text=+ab+&redelivered=true")).toEqual(
      [],
    );
    expect(parse("from=2026-02-30&before=2025-02-29&from=2026-13-01")).toEqual([]);
    expect(parse("from=2028-02-29")).toHaveLength(1);
    expect(write(parse("vendor=arcsite"), "event=4&kind=proposal-sent")).toBe("event=4&vendor=arcsite");
  });

  test("become the service's filter", () => {
    expect(toEventFilter([], "UTC")).toBeNull();
    expect(toEventFilter(parse("vendor=arcsite&proposal=arcsite:36029621652695050"), "UTC")).toEqual({
      provider: ["ARCSITE"],
      proposalId: "proposal:arcsite:36029621652695050",
    });
    expect(toEventFilter(parse("from=2026-03-02&before=2026-03-03"), "Europe/Berlin")).toEqual({
      receivedFrom: "2026-03-01T23:00:00.000Z",
      receivedBefore: "2026-03-02T23:00:00.000Z",
    });
    expect(toEventFilter(parse("not-vendor=arcsite"), "UTC")).toEqual({ provider: ["BIDSKETCH"] });
    expect(toEventFilter(parse("not-kind=drawing-updated&not-kind=drawing-created"), "UTC")).toEqual({
      kindNot: ["DRAWING_UPDATED", "DRAWING_CREATED"],
    });
    expect(toEventFilter(parse("vendor-type=proposal.signed&text=Quarry+Lane&redelivered=yes"), "UTC")).toEqual({
      vendorType: ["proposal.signed"],
      payloadContains: "Quarry Lane",
      redelivered: true,
    });
    expect(toEventFilter(parse("not-vendor=arcsite&not-vendor=bidsketch"), "UTC")).toEqual({ provider: [] });
  });

  test("hold either included or excluded values of a property, and one subject", () => {
    const add = (text: string, added: Condition) => write(withCondition(parse(text), added));
    expect(add("kind=proposal-sent", { property: "kind", value: "proposal-viewed", not: false })).toBe(
      "kind=proposal-sent&kind=proposal-viewed",
    );
    expect(add("kind=proposal-sent", { property: "kind", value: "proposal-viewed", not: true })).toBe(
      "not-kind=proposal-viewed",
    );
    expect(add("kind=proposal-sent", { property: "kind", value: "proposal-sent", not: false })).toBe(
      "kind=proposal-sent",
    );
    expect(add("text=fence", { property: "text", value: "gate", not: false })).toBe("text=gate");
    expect(add("vendor-type=a", { property: "vendor-type", value: "b", not: false })).toBe(
      "vendor-type=a&vendor-type=b",
    );
    expect(add("client=1", { property: "client", value: "2", not: false })).toBe("client=2");
  });
});
