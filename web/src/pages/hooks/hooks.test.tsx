import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { renderWith } from "../../app/fake-service";
import { HooksPage } from "./hooks";

afterEach(cleanup);

const url = (event: string) => `https://bidarc.example/webhooks/bidsketch/${event}`;

/** A service that creates and deletes webhooks. */
function open() {
  const created = new Set<string>();
  const answer = (event: string, endpoint: string, state = "ACTIVE") => ({
    __typename: "BidsketchWebhook",
    id: `webhook:${event}`,
    event,
    endpoint,
    state,
    lastError: null,
    createdAt: "2026-03-02T09:00:00Z",
    lastDeliveryAt: null,
  });
  renderWith(<HooksPage />, {
    Vendors: () => ({ service: { __typename: "Service", vendors: [] } }),
    BidsketchWebhooks: () => ({ bidsketchWebhooks: [...created].map((event) => answer(event, url("…"))) }),
    CreateWebhook: ({ event }) => {
      created.add(`${event}`);
      return { createBidsketchWebhook: { bidsketchWebhook: answer(`${event}`, url(`${event}`)), userErrors: [] } };
    },
    DeleteWebhook: ({ id }) => {
      const event = `${id}`.replace("webhook:", "");
      created.delete(event);
      return { deleteBidsketchWebhook: { bidsketchWebhook: answer(event, url("…"), "DELETING"), userErrors: [] } };
    },
  });
}

/** Clicks the button of an event's row once it can be clicked. */
const click = (event: string, name: string) =>
  waitFor(() => {
    const row = document.querySelector<HTMLElement>(`[data-webhook=${event}]`) ?? document.createElement("li");
    const button = within(row).getByRole<HTMLButtonElement>("button", { name });
    expect(button.disabled).toBe(false);
    fireEvent.click(button);
  });

const shown = () => [...document.querySelectorAll("section pre")].map(({ textContent }) => textContent);

test("the whole URLs of new webhooks stay until Done or the end of the webhook", async () => {
  open();
  for (const event of ["CLIENT_CREATED", "PROPOSAL_SENT"]) {
    await click(event, "Create");
    await waitFor(() => expect(shown()).toContain(url(event)));
  }
  expect(shown()).toEqual([url("CLIENT_CREATED"), url("PROPOSAL_SENT")]);
  await click("CLIENT_CREATED", "Delete…");
  fireEvent.change(screen.getByLabelText("Type “delete” to confirm"), { target: { value: "delete" } });
  fireEvent.click(screen.getByText("Delete"));
  await waitFor(() => expect(shown()).toEqual([url("PROPOSAL_SENT")]));
  fireEvent.click(screen.getByRole("button", { name: "Done" }));
  await waitFor(() => expect(shown()).toEqual([]));
});
