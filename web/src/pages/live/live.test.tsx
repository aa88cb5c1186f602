import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { renderWith } from "../../app/fake-service";
import { LivePage } from "./live";

vi.mock(import("../../live/connection"), async (original) => ({ ...(await original()), subscribe: () => () => {} }));

afterEach(cleanup);

test("a filter that the service refuses says why, and is cleared", async () => {
  history.replaceState(null, "", "/?proposal=7");
  renderWith(<LivePage />, {
    LiveStart: ({ filter }) =>
      filter
        ? { errors: [{ message: "`proposalId` must be a node id", extensions: { code: "BAD_USER_INPUT" } }] }
        : { headCursor: "c0", events: { __typename: "EventConnection", nodes: [] } },
  });
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("`proposalId` must be a node id (BAD_USER_INPUT)");
  expect(screen.queryByText(/Connection lost/)).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Clear the filter" }));
  await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  expect(location.search).toBe("");
});
