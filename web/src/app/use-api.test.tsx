import { act, cleanup, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PaletteProposalsDocument } from "../gql/graphql";
import { fakeService, refusal } from "./fake-service";
import { type ApiResult, RETRY_MILLISECONDS, useApi } from "./use-api";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const named = (name: string) => ({
  proposals: { __typename: "ProposalConnection", nodes: [{ __typename: "Proposal", id: name, name }] },
});

const unreachable = new TypeError("Failed to fetch");

/** Shows the answer to a name. */
function setup(subject?: string) {
  const service = fakeService();
  let result: ApiResult<{ proposals: { nodes: readonly { name: string }[] } }, { name: string }> | undefined;
  function Shown({ name }: { name: string }) {
    result = useApi(PaletteProposalsDocument, { name }, subject === undefined ? {} : { subject });
    return null;
  }
  const { rerender } = render(service.frame(<Shown name="oak" />));
  const later = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds));
  return {
    later,
    requests: () => service.requests.map(({ variables }) => variables.name),
    answer: async (answer: object) => {
      await later(10);
      service.answer(() => answer);
      await later(10);
    },
    show: (name: string) => rerender(service.frame(<Shown name={name} />)),
    showOver: (other: ReturnType<typeof fakeService>) => {
      rerender(other.frame(<Shown name="oak" />));
      return other;
    },
    refetch: () => act(() => result?.refetch()),
    answered: () => result?.answered?.name,
    state: () => [result?.data?.proposals.nodes[0]?.name, result?.isCurrent, result?.error !== undefined],
  };
}

test.each([unreachable, refusal("UNAVAILABLE", 503)])(
  "a failure that may pass keeps the answer and is asked again",
  async (failure) => {
    const page = setup();
    await page.answer(named("Oak 1"));
    expect(page.state()).toEqual(["Oak 1", true, false]);
    page.refetch();
    await page.answer(failure);
    expect(page.state()).toEqual(["Oak 1", true, true]);
    await page.later(RETRY_MILLISECONDS);
    expect(page.requests()).toHaveLength(3);
    await page.answer(unreachable);
    await page.later(RETRY_MILLISECONDS);
    await page.answer(named("Oak 2"));
    expect(page.state()).toEqual(["Oak 2", true, false]);
    await page.later(RETRY_MILLISECONDS);
    expect(page.requests()).toHaveLength(4);
  },
);

test("a query that is made again and again waits for each answer", async () => {
  const page = setup();
  await page.answer(named("Oak 1"));
  for (const [name, requests] of [
    ["Oak 2", 2],
    ["Oak 3", 3],
  ] as const) {
    page.refetch();
    await page.later(3000);
    page.refetch();
    await page.later(3000);
    expect(page.requests()).toHaveLength(requests);
    await page.answer(named(name));
    expect(page.state()).toEqual([name, true, false]);
  }
  await page.answer(named("Oak 4"));
  await page.later(3000);
  expect(page.requests()).toHaveLength(4);
});

test("a request that was lost is made again", async () => {
  const page = setup();
  await page.later(60_000);
  page.refetch();
  await page.answer(named("Oak 1"));
  expect(page.state()).toEqual(["Oak 1", true, false]);
  expect(page.requests()).toHaveLength(2);
});

test("an answer with holes that may pass is no answer", async () => {
  const page = setup();
  const errors = [{ message: "away", extensions: { code: "UNAVAILABLE" } }];
  const holed = () => Response.json({ data: named(""), errors });
  await page.answer(holed());
  expect(page.state()).toEqual([undefined, false, true]);
  await page.later(RETRY_MILLISECONDS);
  await page.answer(named("Oak 1"));
  page.refetch();
  await page.answer(holed());
  expect(page.state()).toEqual(["Oak 1", true, true]);
});

test("a refusal shows no answer and is not asked again", async () => {
  const page = setup();
  await page.answer(named("Oak 1"));
  page.refetch();
  await page.answer(refusal("FORBIDDEN"));
  await page.later(RETRY_MILLISECONDS);
  expect(page.state()).toEqual([undefined, false, true]);
  expect(page.requests()).toHaveLength(2);
});

test("an answer to other variables is told apart and does not outlive a failure", async () => {
  const page = setup();
  await page.answer(named("Oak 1"));
  page.show("elm");
  expect(page.state()).toEqual(["Oak 1", false, false]);
  expect(page.answered()).toBe("oak");
  await page.answer(unreachable);
  expect(page.state()).toEqual([undefined, false, true]);
  await page.later(RETRY_MILLISECONDS);
  expect(page.answered()).toBeUndefined();
  await page.answer(named("Elm 1"));
  expect(page.state()).toEqual(["Elm 1", true, false]);
  expect(page.answered()).toBe("elm");
  expect(page.requests()).toEqual(["oak", "elm", "elm"]);
});

test("an answer to other variables of the same subject outlives a failure", async () => {
  const page = setup("trees");
  await page.answer(named("Oak 1"));
  page.show("elm");
  await page.answer(unreachable);
  expect(page.state()).toEqual(["Oak 1", true, true]);
  expect(page.answered()).toBe("oak");
});

test("the answer stays while the client of a new day asks again", async () => {
  const page = setup();
  await page.answer(named("Oak 1"));
  const next = page.showOver(fakeService());
  expect(page.state()).toEqual(["Oak 1", true, false]);
  await page.later(10);
  next.answer(() => named("Oak 2"));
  await page.later(10);
  expect(page.state()).toEqual(["Oak 2", true, false]);
});
