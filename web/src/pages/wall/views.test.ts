import { expect, test } from "vitest";
import { parseRotation, viewAt } from "./views";

const parse = (text: string) => parseRotation(new URLSearchParams(text));

test("a wall without a rotation shows what happens", () => {
  for (const text of ["", "show=", "show=other"]) expect(parse(text)).toEqual({ shown: ["live"], seconds: 30 });
});

test("a rotation is read within its bounds", () => {
  expect(parse("show=live,pipeline&every=45")).toEqual({ shown: ["live", "pipeline"], seconds: 45 });
  expect(parse("show=pipeline")).toEqual({ shown: ["pipeline"], seconds: 30 });
  expect(["0", "-4", "1e9", "soon", ""].map((every) => parse(`every=${every}`).seconds)).toEqual([3, 3, 3600, 30, 30]);
});

test("the view follows from the clock alone", () => {
  const at = (seconds: number) => viewAt(seconds * 1000, ["live", "pipeline"], 30);
  expect([0, 29, 30, 59, 60].map(at)).toEqual(["live", "live", "pipeline", "pipeline", "live"]);
  expect(viewAt(30_000, ["pipeline"], 30)).toBe("pipeline");
});
