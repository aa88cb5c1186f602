import type { Page } from "@playwright/test";
import { Cable } from "./cable.ts";
import { comeBack, expect, proposal, rows, state, test } from "./fixtures.ts";

const anotherTab = (page: Page) => page.getByText("Another tab of bidarc receives the events");

test("where a proxy refuses sockets, events come over a stream, and after a break nothing is missing", async ({
  page,
  service,
  owned,
}) => {
  const cable = owned(await Cable.to(service.port, { refusesSockets: true }));
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(cable.url);
  await expect(state(page, "live")).toContainText("by the slower way");
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await expect.poll(async () => (await rows(page))[0]).toBe("event:2");
  cable.cut();
  await state(page, "reconnecting").waitFor();
  await service.deliver("bidsketch", "proposal_created", proposal(3));
  cable.mend();
  await comeBack(page);
  await expect(state(page, "live")).toContainText("by the slower way");
  await expect.poll(async () => (await rows(page)).slice(0, 3)).toEqual(["event:3", "gap 1", "event:2"]);
  // A list with a filter has a stream of its own.
  await page.getByRole("button", { name: "Proposal created", exact: true }).first().click();
  await state(page, "live").waitFor();
  await service.deliver("bidsketch", "proposal_viewed", proposal(1, { status: "Viewed" }));
  await service.deliver("bidsketch", "proposal_created", proposal(4));
  await expect.poll(async () => (await rows(page))[0]).toBe("event:5");
});

test("one tab at a time has the streams: the one that is looked at", async ({ page, service, context, owned }) => {
  const cable = owned(await Cable.to(service.port, { refusesSockets: true }));
  await page.goto(cable.url);
  await state(page, "live").waitFor();
  const other = await context.newPage();
  await other.goto(cable.url);
  await state(other, "live").waitFor();
  await expect(anotherTab(page)).toBeVisible();
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await expect.poll(() => rows(other)).toContain("event:1");
  await page.getByRole("button", { name: "Try now" }).click();
  await expect.poll(() => rows(page)).toContain("event:1");
  await expect(anotherTab(other)).toBeVisible();
  await page.close();
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await expect.poll(() => rows(other)).toContain("event:2");
});
