import { cleanup, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { renderWith } from "../../app/fake-service";
import { QuarantinePage } from "./quarantine";

afterEach(cleanup);

const delivery = (number: number) => ({
  __typename: "Delivery",
  id: `delivery:${number}`,
  provider: "ARCSITE",
  vendorType: "project.created",
  receivedAt: "2026-03-02T09:00:00Z",
  quarantineReason: "NOT_JSON",
  detail: null,
  body: "",
  bodyBase64: "",
  sizeBytes: 0,
});

/** A quarantine with a page of two deliveries, and one more. */
function open() {
  let kept = [3, 2, 1];
  renderWith(<QuarantinePage />, {
    Quarantine: ({ after }) => {
      const nodes = kept.filter((number) => (after ? number < 2 : number >= 2));
      const hasNextPage = !after && kept.includes(1);
      return {
        quarantinedDeliveries: {
          __typename: "DeliveryConnection",
          totalCount: kept.length,
          nodes: nodes.map(delivery),
          pageInfo: { __typename: "PageInfo", hasNextPage, endCursor: "c2" },
        },
      };
    },
    Release: ({ id }) => {
      kept = kept.filter((number) => `delivery:${number}` !== id);
      return {
        releaseQuarantinedDelivery: {
          delivery: { __typename: "Delivery", id },
          event: { __typename: "ProjectEvent", id: "event:1", kind: "PROJECT_CREATED" },
          userErrors: [],
        },
      };
    },
  });
}

const shown = () =>
  [...document.querySelectorAll<HTMLElement>("[data-delivery]")].map(({ dataset }) => dataset.delivery);
const click = async (name: string) => (await screen.findAllByRole("button", { name }))[0]?.click();

test("the page that a release empties gives way to the first one", async () => {
  open();
  await click("Older deliveries");
  await waitFor(() => expect(shown()).toEqual(["delivery:1"]));
  await click("Release");
  await waitFor(() => expect(shown()).toEqual(["delivery:3", "delivery:2"]));
  expect(screen.queryByText("Nothing is in quarantine")).toBeNull();
  expect(screen.queryByRole("button", { name: "Back to the newest" })).toBeNull();
  await click("Release");
  await waitFor(() => expect(shown()).toEqual(["delivery:2"]));
  await click("Release");
  await screen.findByText("Nothing is in quarantine");
});
