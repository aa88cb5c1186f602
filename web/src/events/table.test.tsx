import { act, cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { preferences } from "../app/preferences";
import type { EventRow } from "../live/feeds";
import { EventTable } from "./table";

afterEach(() => {
  cleanup();
  preferences.set({ keys: true });
});

const row = (number: number) =>
  ({
    __typename: "UnrecognizedEvent",
    id: `event:${number}`,
    kind: "UNRECOGNIZED",
    provider: "BIDSKETCH",
    receivedAt: "2026-03-02T09:00:00Z",
    vendorTypes: ["client_renamed"],
  }) as unknown as EventRow;

/** Shows three rows. A key tells which row has the focus then, and whether the browser may scroll by it. */
function setup() {
  const events = [3, 2, 1].map(row);
  render(
    <EventTable
      label="Events"
      items={events.map((event) => ({ type: "event", id: event.id, event }))}
      selected={undefined}
      hrefOf={({ id }) => `/events/${id}`}
      onFilter={() => {}}
    />,
  );
  return (key: string) => {
    const target = document.activeElement ?? document.body;
    let scrolls = false;
    act(() => {
      scrolls = fireEvent.keyDown(target, { key });
    });
    return [document.activeElement?.closest("tr")?.dataset.event, scrolls];
  };
}

const focus = (selector: string) => act(() => document.querySelector<HTMLElement>(selector)?.focus());

test("arrows scroll the page until the table has the focus", () => {
  const press = setup();
  expect(press("ArrowDown")).toEqual([undefined, true]);
  expect(press("j")).toEqual(["event:3", false]);
  expect(press("ArrowDown")).toEqual(["event:2", false]);
  expect(press("ArrowUp")).toEqual(["event:3", false]);
  focus("tr[data-event='event:2'] button");
  expect(press("ArrowDown")).toEqual(["event:1", false]);
});

test("arrows scroll the page in the table too while keys are switched off", () => {
  preferences.set({ keys: false });
  const press = setup();
  focus("tr[data-event='event:3'] a");
  expect(press("ArrowDown")).toEqual(["event:3", true]);
});

test("an event that the service could read only in part says so", () => {
  const event = { ...row(1), problem: "an internal error" };
  const item = { type: "event", id: event.id, event } as const;
  render(<EventTable label="Events" items={[item]} selected={undefined} hrefOf={() => "/"} onFilter={() => {}} />);
  expect(document.querySelector("tr[data-event]")?.textContent).toContain("missing: an internal error");
});
