import { Cable } from "./cable.ts";
import { comeBack, expect, proposal, rows, state, test } from "./fixtures.ts";
import { Service } from "./service.ts";

test("an event is painted after its hook was answered", async ({ page, service }) => {
  await page.goto(service.url);
  await state(page, "live").waitFor();
  for (const id of [1, 2, 3]) {
    const event = await service.deliver("bidsketch", "proposal_created", proposal(id));
    await expect(page.locator(`tr[data-event="${event}"]`)).toContainText("Quarry Lane Dental");
  }
  expect(await rows(page)).toEqual(["event:3", "event:2", "event:1"]);
});

test("the figures of today count both vendors", async ({ page, service }) => {
  await page.goto(service.url);
  await state(page, "live").waitFor();
  const now = new Date().toISOString();
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await service.deliver("bidsketch", "proposal_created", proposal(2, { created_at: now, updated_at: now }));
  await service.deliver("bidsketch", "proposal_sent", proposal(2, { created_at: now, updated_at: now }));
  await service.deliver("arcsite", "proposal.status_changed", { proposal_id: 3, project_id: 1, status: "PENDING" });
  await service.deliver("arcsite", "proposal.status_changed", { proposal_id: 3, project_id: 1, status: "APPROVED" });
  const figures = page.locator("dl").filter({ hasText: "New today" });
  // The first proposal was made on a day before.
  await expect(figures).toHaveText("New today2Sent2Accepted1Payments0");
});

test("names stay whole on every width", async ({ page, service }) => {
  for (const id of [1, 2]) await service.deliver("bidsketch", "proposal_created", proposal(id));
  for (const width of [390, 800, 1024, 1100, 1180, 1280, 1366, 1920]) {
    await page.setViewportSize({ width, height: 768 });
    for (const path of ["/", "/events"]) {
      await page.goto(`${service.url}${path}`);
      const row = page.locator("tr[data-event]").first();
      await row.waitFor();
      // Two lines of text at most; a narrow page has cards, with more.
      const height = (await row.boundingBox())?.height ?? Number.NaN;
      expect(height, `${path} at ${width}`).toBeLessThan(width < 1100 ? 120 : 80);
    }
  }
});

test("a redelivery adds no row, and the details show it", async ({ page, service }) => {
  const event = await service.deliver("bidsketch", "proposal_created", proposal(1));
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(service.url);
  await page.getByRole("link", { name: "Proposal created, details" }).click();
  await expect(page).toHaveURL(/\?event=1$/);
  const details = page.getByTestId("details");
  await expect(details.getByRole("heading", { name: "2 deliveries" })).toBeVisible();
  await expect(details.getByText("redelivery", { exact: true })).toBeVisible();
  expect(await rows(page)).toEqual([event]);
  // The stream goes on behind the panel, and Escape closes it.
  await service.deliver("bidsketch", "proposal_viewed", proposal(1, { status: "Viewed" }));
  await expect(page.locator("tr[data-event]")).toHaveCount(2);
  await details.getByRole("tab", { name: "Raw" }).click();
  await expect(details.getByRole("tabpanel")).toContainText('"event":"proposal_created"');
  await page.locator("h1").click();
  await page.keyboard.press("Escape");
  await expect(details).toHaveCount(0);
  await page.goBack();
  await expect(details).toBeVisible();
});

test("ids beyond 2^53 are exact, and the changes are against the event before", async ({ page, service }) => {
  const data = (status: string) =>
    `{"proposal_id":36029621652695041,"name":"Cedar fence","status":"${status}","total":8450.00}`;
  await service.deliver("arcsite", "proposal.status_changed", data("SENT"));
  await service.deliver("arcsite", "proposal.status_changed", data("APPROVED"));
  await page.goto(`${service.url}/events/2`);
  const details = page.getByTestId("details");
  await expect(details.getByRole("tabpanel")).toContainText("proposal_id: 36029621652695041");
  await details.getByRole("tab", { name: "Changes" }).click();
  await expect(details.getByRole("tabpanel")).toContainText("1 change");
  await expect(details.locator("del")).toHaveText('"SENT"');
  await expect(details.locator("ins")).toHaveText('"APPROVED"');
});

test("a value filters when it is clicked, and is turned around", async ({ page, service }) => {
  await service.deliver("bidsketch", "client_created", { id: 900, name: "Quarry Lane Dental" });
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(service.url);
  await page.getByRole("button", { name: "Proposal created", exact: true }).click();
  await expect(page).toHaveURL(/\?kind=proposal-created$/);
  await expect.poll(() => rows(page)).toEqual(["event:2"]);
  // The filter holds for what arrives.
  await service.deliver("bidsketch", "proposal_viewed", proposal(1, { status: "Viewed" }));
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await expect.poll(() => rows(page)).toEqual(["event:4", "event:2"]);
  await page.getByRole("button", { name: "What is Proposal created; turn around" }).click();
  await expect(page).toHaveURL(/\?not-kind=proposal-created$/);
  await expect.poll(() => rows(page)).toEqual(["event:3", "event:1"]);
  await page.goBack();
  await expect.poll(() => rows(page)).toEqual(["event:4", "event:2"]);
  await page.keyboard.press("x");
  await expect.poll(() => rows(page)).toEqual(["event:4", "event:3", "event:2", "event:1"]);
});

test("a text, a vendor's type and redeliveries filter too", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await service.deliver("bidsketch", "proposal_created", proposal(2, { name: "Cedar gate" }));
  await service.deliver("bidsketch", "proposal_created", proposal(2, { name: "Cedar gate" }));
  await service.deliver("bidsketch", "proposal_paid_twice", { id: 3 });
  await page.goto(service.url);
  await state(page, "live").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("Ced");
  await expect(page).toHaveURL(/\?text=Ced$/);
  await expect.poll(() => rows(page)).toEqual(["event:2"]);
  // The filter holds for what arrives, and a short text is none.
  await service.deliver("bidsketch", "proposal_created", proposal(4));
  await service.deliver("bidsketch", "proposal_created", proposal(5, { name: "Cedar arch" }));
  await expect.poll(() => rows(page)).toEqual(["event:5", "event:2"]);
  await page.keyboard.press("Backspace");
  await expect(page.getByText("at least 3 letters")).toBeVisible();
  await expect(page).toHaveURL(`${service.url}/`);
  await page.goto(`${service.url}/events?text=Cedar`);
  await expect(page.getByLabel("Text in the body")).toHaveValue("Cedar");
  await expect.poll(() => rows(page)).toEqual(["event:5", "event:2"]);
  await page.getByLabel("Add a filter").selectOption("Came more than once");
  await expect(page).toHaveURL(/\?text=Cedar&redelivered=yes$/);
  await expect.poll(() => rows(page)).toEqual(["event:2"]);
  await page.locator("h1").click();
  await page.keyboard.press("x");
  await expect(page.getByLabel("Text in the body")).toHaveValue("");
  await page.getByRole("button", { name: "proposal_paid_twice" }).click();
  await expect(page).toHaveURL(/\?vendor-type=proposal_paid_twice$/);
  await expect.poll(() => rows(page)).toEqual(["event:3"]);
});

test("a text in a log that is too large to search begins with what arrives", async ({ page, owned }) => {
  const service = owned(await Service.start({ env: { BIDARC_GRAPHQL__MAX_ROWS: "100" } }));
  await service.simulate("--count", "150", "--rate", "500");
  await page.goto(`${service.url}/?text=Cedar+arch`);
  await expect(page.getByText("The log is too large to look for this text")).toBeVisible();
  await state(page, "live").waitFor();
  const event = await service.deliver("bidsketch", "proposal_created", proposal(5, { name: "Cedar arch" }));
  await expect.poll(() => rows(page)).toEqual([event]);
  await page.getByRole("link", { name: "Events", exact: true }).last().click();
  await expect(page.getByRole("alert")).toContainText("LIMIT_EXCEEDED");
});

test("a filter without a match says how many there are without it", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(`${service.url}/?kind=drawing-created`);
  await expect(page.getByText("Without it there is 1 event")).toBeVisible();
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await expect(page.locator("tr[data-event]")).toHaveCount(1);
});

test("a filter that the service refuses says why, and one with a day that is none is none", async ({
  page,
  service,
}) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(`${service.url}/?proposal=7`);
  await expect(page.getByRole("alert")).toContainText("BAD_USER_INPUT");
  await page.getByRole("alert").getByRole("button", { name: "Clear the filter" }).click();
  await expect.poll(() => rows(page)).toEqual(["event:1"]);
  await page.goto(`${service.url}/?from=2026-02-30`);
  await expect.poll(() => rows(page)).toEqual(["event:1"]);
});

test("pausing counts what arrives, and resuming shows all of it", async ({ page, service }) => {
  await page.goto(service.url);
  await state(page, "live").waitFor();
  await page.keyboard.press("p");
  await state(page, "paused").waitFor();
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await service.deliver("bidsketch", "proposal_accepted", proposal(1, { status: "Accepted" }));
  await expect(state(page, "paused")).toContainText("2 new, 1 of them accepted");
  expect(await rows(page)).toEqual([]);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => rows(page)).toEqual(["event:2", "event:1"]);
});

test("the service is restarted: a line says how long, and that nothing is missing", async ({
  page,
  service,
  owned,
}) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  const cable = owned(await Cable.to(service.port));
  await page.goto(cable.url);
  await state(page, "live").waitFor();
  await service.stop();
  await state(page, "reconnecting").waitFor();
  await expect(page.locator("tr[data-event]")).toHaveCount(1);
  // Too early: it goes on waiting.
  await page.getByRole("button", { name: "Try now" }).click();
  // It does not come back before the event that it misses.
  cable.cut();
  await service.start();
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  cable.mend();
  await comeBack(page);
  await expect.poll(() => rows(page)).toEqual(["event:2", "gap 1", "event:1"]);
  await expect(page.locator("tr[data-gap]")).toContainText("1 event, all here · caught up");
});

test("a reload of the page shows what was missed", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(service.url);
  await state(page, "live").waitFor();
  await page.goto("about:blank");
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await page.goto(service.url);
  await expect.poll(() => rows(page)).toEqual(["event:2", "gap 1", "event:1"]);
});

test("after a restart with other pages a bar offers them, and the wall loads them itself", async ({
  page,
  service,
}) => {
  // What an upgraded service answers.
  const html = (await (await fetch(service.url)).text()).replace(/index-[\w-]+\.js/, "index-other.js");
  const upgrade = () =>
    page.route(`${service.url}/`, (route) => route.fulfill({ body: html, contentType: "text/html" }));
  await page.goto(service.url);
  await state(page, "live").waitFor();
  await upgrade();
  await service.stop();
  await state(page, "reconnecting").waitFor();
  await service.start();
  await comeBack(page);
  await expect(page.getByText("bidarc was upgraded")).toBeVisible();
  await page.unrouteAll();

  // The break of the new page itself makes it look once, before the upgrade.
  const looked = page.waitForResponse(`${service.url}/`);
  await page.goto(`${service.url}/wall`);
  await state(page, "live").waitFor();
  await looked;
  await page.evaluate(() => {
    document.body.dataset.old = "yes";
  });
  await upgrade();
  await service.stop();
  await state(page, "reconnecting").waitFor();
  await service.start();
  await comeBack(page);
  await expect(page.locator("body:not([data-old])")).toBeAttached();
  // The reload brought the old pages again, as between two versions: the wall says so and does not reload for ever.
  await expect(page.getByText("bidarc was upgraded")).toBeVisible();
  await state(page, "live").waitFor();
});
