import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { fakeService } from "../../app/fake-service";
import { Feed, type Sink } from "../../live/feed";
import type { EventRow } from "../../live/feeds";
import { PulseContext } from "../../live/use-feed";
import { ProposalsPage } from "./list";

afterEach(cleanup);

const settle = () => act(() => new Promise((resolve) => setTimeout(resolve, 10)));

const answerOf = (names: string[], endCursor: string | null) => ({
  proposals: {
    __typename: "ProposalConnection",
    totalCount: 4,
    nodes: names.map((name) => ({
      __typename: "Proposal",
      id: `proposal:bidsketch:${name}`,
      provider: "BIDSKETCH",
      name,
      status: "PENDING",
      lastEventAt: "2026-03-02T09:00:00Z",
    })),
    pageInfo: { __typename: "PageInfo", hasNextPage: endCursor !== null, endCursor },
  },
});

const shown = () => [...document.querySelectorAll("tbody td:first-child a")].map(({ textContent }) => textContent);

async function setup() {
  const service = fakeService();
  let sink: Sink<EventRow> | undefined;
  const pulse = new Feed<EventRow>({
    load: () => Promise.resolve({ events: [], cursor: "c0" }),
    subscribe: (_variables, given) => {
      sink = given;
      return () => {};
    },
    now: Date.now,
    schedule: (publish) => publish(),
    later: () => () => {},
    isSignedOut: () => false,
  });
  pulse.start();
  render(
    service.frame(
      <PulseContext value={pulse}>
        <ProposalsPage />
      </PulseContext>,
    ),
  );
  await settle();
  return {
    service,
    click: (name: string) => act(() => screen.getByRole("button", { name }).click()),
    answer: async (names: string[], endCursor: string | null) => {
      await settle();
      service.answer(() => answerOf(names, endCursor));
      await settle();
    },
    change: (id: string) => {
      const event = { __typename: "ProposalEvent", id, cursor: id, kind: "PROPOSAL_UPDATED", receivedAt: "" };
      act(() => sink?.next({ cursor: id, caughtUp: true, events: [event as EventRow] }));
    },
  };
}

test("more proposals are added once their page is here", async () => {
  const page = await setup();
  await page.answer(["Oak", "Elm"], "c2");
  page.click("More");
  expect(shown()).toEqual(["Oak", "Elm"]);
  await page.answer(["Elm", "Ash", "Fir"], null);
  expect(shown()).toEqual(["Oak", "Elm", "Ash", "Fir"]);
});

test("an event renews a list of one page and marks a longer one as old", async () => {
  const page = await setup();
  await page.answer(["Oak", "Elm"], "c2");
  page.change("event:1");
  await page.answer(["Elm", "Oak"], "c2");
  expect(shown()).toEqual(["Elm", "Oak"]);
  // Its turn comes two seconds after the event before it, when the list is longer.
  page.change("event:2");
  page.click("More");
  await page.answer(["Ash"], null);
  await screen.findByRole("button", { name: "Show what changed" }, { timeout: 3000 });
  expect(page.service.requests).toHaveLength(3);
  expect(shown()).toEqual(["Elm", "Oak", "Ash"]);
  page.click("Show what changed");
  // The first page is that of the cache until the service's is here.
  expect(shown()).toEqual(["Elm", "Oak"]);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "More" }).disabled).toBe(true);
  await page.answer(["Ash", "Elm"], "c2");
  expect(shown()).toEqual(["Ash", "Elm"]);
  expect(screen.queryByRole("button", { name: "Show what changed" })).toBeNull();
});
