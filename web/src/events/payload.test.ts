import { expect, test } from "vitest";
import { changes, flatten, payloadOf, pretty } from "./payload";

const body = (data: string) => `{"event":"proposal.status_changed","data":${data}}`;

test("ids and amounts keep every digit", () => {
  const data = payloadOf(body('{"id": 36029621652695041, "total": 8450.00, "tags": []}'));
  expect(pretty(data)).toBe('{\n  "id": 36029621652695041,\n  "total": 8450.00,\n  "tags": []\n}');
  expect([...flatten(data)]).toEqual([
    ["id", "36029621652695041"],
    ["total", "8450.00"],
    ["tags", "[]"],
  ]);
});

test("a text that is no envelope is shown as it is", () => {
  expect(payloadOf("not json")).toBeUndefined();
  expect(pretty(payloadOf('{"a": 1}'))).toBe('{\n  "a": 1\n}');
  expect(payloadOf(body("null"))).toBeNull();
});

test("changes name what was added, changed and removed", () => {
  const before = payloadOf(body('{"status":"SENT","customer":{"name":"Hollis","phone":"1"},"tags":["a"]}'));
  const after = payloadOf(body('{"status":"APPROVED","customer":{"name":"Hollis"},"tags":["a","b"]}'));
  expect(changes(before, after)).toEqual([
    { path: "status", before: '"SENT"', after: '"APPROVED"' },
    { path: "tags[1]", before: undefined, after: '"b"' },
    { path: "customer.phone", before: '"1"', after: undefined },
  ]);
  expect(changes(after, after)).toEqual([]);
});
