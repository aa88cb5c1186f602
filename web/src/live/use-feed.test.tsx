import { cleanup, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { renderWith } from "../app/fake-service";
import { useApi } from "../app/use-api";
import { EventCountDocument } from "../gql/graphql";
import { useFeed } from "./use-feed";

vi.mock(import("./connection"), async (original) => ({ ...(await original()), subscribe: () => () => {} }));

afterEach(cleanup);

function Count() {
  return useApi(EventCountDocument, {}).data?.events.totalCount;
}

function Shell() {
  useFeed(null);
  return <Count />;
}

test("a feed is asked for before what its events renew", async () => {
  const asked: string[] = [];
  const events = { __typename: "EventConnection", nodes: [], totalCount: 7 };
  renderWith(<Shell />, {
    LiveStart: () => {
      asked.push("LiveStart");
      return { headCursor: "c0", events };
    },
    EventCount: () => {
      asked.push("EventCount");
      return { events };
    },
  });
  await screen.findByText("7");
  expect(asked).toEqual(["LiveStart", "EventCount"]);
});
