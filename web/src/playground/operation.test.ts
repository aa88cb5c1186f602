import { describe, expect, it } from "vitest";
import { chosenIn } from "./operation";

const several = "query First { a } subscription Second { b }";

describe("the operation that runs", () => {
  it("is the only one, whatever name the tab of before had", () => {
    expect(chosenIn("subscription Live { events { id } }", "Latest")?.operationName).toBe("Live");
    expect(chosenIn("subscription Live { events { id } }", null)?.operationName).toBe("Live");
    expect(chosenIn("{ headCursor }", "Latest")?.operationName).toBeNull();
    expect(chosenIn("fragment F on A { a } query Q { ...F }", "F")?.operationName).toBe("Q");
  });

  it("is the one of several that was named", () => {
    expect(chosenIn(several, "Second")?.operationName).toBe("Second");
    expect(chosenIn(several, null)?.operationName).toBeNull();
  });

  it("is unknown in a query that cannot be parsed", () => {
    expect(chosenIn("subscription Live {", "Live")).toBeUndefined();
  });
});
