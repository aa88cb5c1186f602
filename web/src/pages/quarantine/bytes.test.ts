import { expect, test } from "vitest";
import { hexDump } from "./bytes";

test("bytes are shown by place, digits and text", () => {
  const bytes = String.fromCharCode(0xff, 0, 10, ...Array.from("not json, indeed", (letter) => letter.charCodeAt(0)));
  expect(hexDump(btoa(bytes)).split("\n")).toEqual([
    "00000000  ff 00 0a 6e 6f 74 20 6a 73 6f 6e 2c 20 69 6e 64  ...not json, ind",
    "00000010  65 65 64                                         eed",
  ]);
  expect(hexDump("")).toBe("");
});
