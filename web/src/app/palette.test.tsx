import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { fakeService } from "./fake-service";
import { Palette } from "./palette";

afterEach(cleanup);

const settle = () => act(() => new Promise((resolve) => setTimeout(resolve, 10)));

const answerOf = (...names: string[]) => ({
  proposals: {
    __typename: "ProposalConnection",
    nodes: names.map((name) => ({
      __typename: "Proposal",
      id: `proposal:bidsketch:${name}`,
      name,
      provider: "BIDSKETCH",
      customerName: null,
    })),
  },
});

test("the palette offers the proposals of the text of now alone", async () => {
  const service = fakeService();
  render(service.frame(<Palette onClose={() => {}} />));
  const type = (value: string) => act(() => fireEvent.change(screen.getByRole("combobox"), { target: { value } }));
  const answer = async (...names: string[]) => {
    await settle();
    service.answer(() => answerOf(...names));
    await settle();
  };
  const offered = () => screen.queryAllByRole("option").map(({ firstChild }) => firstChild?.textContent);
  type("oa");
  await answer("Oasis");
  expect(offered()).toEqual(["Oasis"]);
  type("oak");
  expect(offered()).toEqual([]);
  expect(screen.queryByText("Nothing has this name.")).toBeNull();
  await answer("Oak");
  expect(offered()).toEqual(["Oak"]);
  type("oaks");
  await answer();
  expect(screen.getByText("Nothing has this name.")).toBeTruthy();
});
