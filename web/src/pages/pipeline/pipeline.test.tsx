import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { fakeService } from "../../app/fake-service";
import { preferences } from "../../app/preferences";
import { PipelinePage } from "./pipeline";

afterEach(cleanup);

const settle = () => act(() => new Promise((resolve) => setTimeout(resolve, 10)));

const stats = {
  __typename: "ProposalStats",
  byStatus: [],
  funnel: [],
  timeToAccept: { __typename: "DurationStats", count: 0, medianSeconds: null, p90Seconds: null },
  viewsByHour: [],
};
const none = { __typename: "ProposalConnection", totalCount: 0, nodes: [] };
const numbers = { all: stats, thisWeek: stats, lastWeek: stats, notViewed: none, notAnswered: none };

test("numbers stand beside their own time zone until those of another are here", async () => {
  preferences.set({ times: "office", officeZone: "Asia/Kolkata" });
  const service = fakeService();
  render(service.frame(<PipelinePage />));
  const answer = async () => {
    await settle();
    service.answer(() => numbers);
    await settle();
  };
  await answer();
  const zone = () => screen.getByTestId("moment").textContent?.match(/the time zone (\S+)\./)?.[1];
  expect(zone()).toBe("Asia/Kolkata");
  act(() => preferences.set({ times: "UTC" }));
  expect(zone()).toBe("Asia/Kolkata");
  await answer();
  expect(zone()).toBe("UTC");
});
