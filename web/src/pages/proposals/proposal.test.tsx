import { cleanup, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { renderWith } from "../../app/fake-service";
import { EventDetails } from "../../events/details";
import { ProposalPage } from "./proposal";

afterEach(cleanup);

const pages = [
  [<ProposalPage key="" />, "There is no such proposal"],
  [<EventDetails key="" id="event:7" level={1} />, "There is no event 7"],
] as const;

test.each(pages)("a page whose node cannot be read does not say that there is none", async (page, text) => {
  for (const code of ["UNAVAILABLE", "INTERNAL"]) {
    const failed = () => ({ data: { node: null }, errors: [{ message: "no", extensions: { code } }] });
    renderWith(page, { ProposalPage: failed, EventDetails: failed });
    expect((await screen.findByRole("alert")).textContent).toContain(`no (${code})`);
    expect(screen.queryByText(text)).toBeNull();
    cleanup();
  }
  renderWith(page, { ProposalPage: () => ({ node: null }), EventDetails: () => ({ node: null }) });
  await screen.findByText(text);
});
