import type { Page, Request } from "@playwright/test";
import { expect, proposal, seriousFindings, state, systemColors, test } from "./fixtures.ts";
import { Service } from "./service.ts";

const HOUR = 3600_000;
const DAY = 24 * HOUR;

const ago = (milliseconds: number) => new Date(Date.now() - milliseconds).toISOString();

/** A proposal of so long ago, whose last change is younger. */
function changed(id: number, created: number, updated: number, status: string) {
  return proposal(id, { status, created_at: ago(created), updated_at: ago(updated) });
}

/** Proposals 1 to 4 of last week, of which 1 was accepted, 2 waits for a view and 3 for an answer; 5 of this one. */
async function deliverTwoWeeks(service: Service) {
  const week = 7 * DAY;
  for (const id of [1, 2, 3, 4])
    await service.deliver("bidsketch", "proposal_created", changed(id, week, week, "Pending"));
  for (const id of [1, 2, 3])
    await service.deliver("bidsketch", "proposal_sent", changed(id, week, week - HOUR, "Pending"));
  // Sent a day ago: not due yet.
  await service.deliver("bidsketch", "proposal_sent", changed(4, week, DAY, "Pending"));
  await service.deliver("bidsketch", "proposal_viewed", changed(1, week, week - 2 * HOUR, "Viewed"));
  await service.deliver("bidsketch", "proposal_accepted", changed(1, week, week - 4 * HOUR, "Accepted"));
  // Created long before it is told, and viewed more than a week ago.
  await service.deliver("bidsketch", "proposal_viewed", changed(3, week, week + HOUR, "Viewed"));
  await service.deliver("bidsketch", "proposal_created", changed(5, 0, 0, "Pending"));
}

/** The requests for the numbers of the page, from now on. */
function pipelineRequests(page: Page): Request[] {
  const requests: Request[] = [];
  page.on("request", (request) => {
    if (request.postData()?.includes("proposalStats")) requests.push(request);
  });
  return requests;
}

const cells = (page: Page, row: string) => page.locator(`tr[${row}] td`).allInnerTexts();

test("one request has all numbers, and each chart is also a table", async ({ page, service }) => {
  await deliverTwoWeeks(service);
  // No quarter of an hour begins meanwhile: the page would ask once more.
  await page.clock.setFixedTime(new Date());
  const requests = pipelineRequests(page);
  await page.goto(`${service.url}/pipeline`);
  await expect(page.locator("tr[data-status=ACCEPTED] td")).toHaveText(["Accepted", "1", "$7,385.00", ""]);
  expect(await cells(page, "data-step=created")).toEqual(["Created", "1", "4", "−3"]);
  expect(await cells(page, "data-step=sent")).toEqual(["Sent", "0", "4", "−4"]);
  expect(await cells(page, "data-step=viewed")).toEqual(["Viewed", "0", "2", "−2"]);
  expect(await cells(page, "data-step=accepted")).toEqual(["Accepted", "0", "1", "−1"]);
  await expect(page.locator("dl")).toContainText("Half within3 h");
  expect(requests).toHaveLength(1);

  const funnel = page.getByRole("img", { name: /^Proposals by the month of creation/ });
  await expect(funnel).toHaveAccessibleDescription(/5 created, 4 sent, 2 viewed, 1 accepted/);
  await expect(funnel.locator("path.visx-linepath")).toHaveCount(4);
  const figures = page.locator("figure", { has: funnel });
  await expect(figures.getByRole("table")).toBeHidden();
  await figures.getByText("Figures").click();
  await expect(figures.getByRole("row").nth(1)).toContainText("Bidsketch");

  const views = page.getByRole("img", { name: "Views by weekday and hour" });
  await expect(views).toHaveAccessibleDescription(/^2 views, in the time zone UTC/);
  await expect(views.locator("rect")).toHaveCount(7 * 24);
  const seen = await views.locator("rect").evaluateAll((all) => all.map((rect) => Number(rect.dataset.count)));
  expect(seen.reduce((sum, count) => sum + count)).toBe(2);
  expect(await seriousFindings(page)).toEqual([]);

  await page.getByLabel("A point is a").selectOption("week");
  await expect(page).toHaveURL(`${service.url}/pipeline?by=week`);
  await page.reload();
  await expect(page.getByRole("img", { name: /^Proposals by the week of creation/ })).toBeVisible();
});

test("a follow-up links to its proposal and to the list of all of them", async ({ page, service }) => {
  await deliverTwoWeeks(service);
  await page.goto(`${service.url}/pipeline`);
  const notViewed = page.getByRole("region", { name: "Sent, not viewed for 48 hours" });
  await expect(notViewed.locator("[data-proposal]")).toHaveText([/^Fence 2/]);
  const notAnswered = page.getByRole("region", { name: "Viewed, not answered for 7 days" });
  await expect(notAnswered.locator("[data-proposal]")).toHaveText([/^Fence 3/]);
  await notAnswered.getByRole("link", { name: "Fence 3" }).click();
  await expect(page.getByRole("heading", { name: /^Fence 3/ })).toBeVisible();
  await page.goBack();
  await page.getByRole("link", { name: "In the list of proposals" }).first().click();
  await expect(page).toHaveURL(`${service.url}/proposals?follow-up=not-viewed`);
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(page.locator("caption")).toHaveText("1 proposal · Sent, not viewed for 48 hours");
  // What was answered waits no longer.
  await service.deliver("bidsketch", "proposal_declined", changed(2, 7 * DAY, 0, "Declined"));
  await expect(page.getByText("No proposal matches")).toBeVisible();
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await expect(page.locator("caption")).toHaveText("5 proposals");
});

test("the numbers follow the events, with a request every two seconds at most", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(`${service.url}/pipeline`);
  await state(page, "live").waitFor();
  const moment = page.getByTestId("moment").locator("time");
  const first = await moment.getAttribute("datetime");
  const requests = pipelineRequests(page);
  const began = Date.now();
  for (let id = 2; id <= 20; id += 1) await service.deliver("bidsketch", "proposal_created", proposal(id));
  await expect(page.locator("tr[data-status=PENDING] td").nth(1)).toHaveText("20");
  expect(requests.length).toBeLessThanOrEqual(2 + Math.ceil((Date.now() - began) / 2000));
  expect(Date.parse((await moment.getAttribute("datetime")) ?? "")).toBeGreaterThan(Date.parse(first ?? ""));
  // Without the service the numbers stay, and the page says that they age.
  await service.stop();
  await expect(page.getByTestId("moment")).toContainText("Without the connection they grow old");
  await expect(page.locator("tr[data-status=PENDING] td").nth(1)).toHaveText("20");
});

test("numbers stay when newer ones cannot be fetched, and the page asks again by itself", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(`${service.url}/pipeline`);
  await state(page, "live").waitFor();
  const pending = page.locator("tr[data-status=PENDING] td").nth(1);
  await expect(pending).toHaveText("1");
  await page.route("**/graphql", (route) => route.abort());
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await expect(page.getByTestId("moment")).toContainText("Newer ones could not be fetched");
  await expect(pending).toHaveText("1");
  await page.unroute("**/graphql");
  await expect(pending).toHaveText("2");
  await expect(page.getByTestId("moment")).not.toContainText("Newer ones could not be fetched");
});

test("weeks and hours are those of the office's time zone", async ({ page, owned }) => {
  const service = owned(await Service.start({ env: { BIDARC_SERVICE__TIME_ZONE: "Asia/Kolkata" } }));
  // Saturday evening in UTC, Sunday morning in Kolkata; of the month before in UTC.
  const times = { created_at: "2026-01-31T20:00:00Z", updated_at: "2026-01-31T20:40:00Z" };
  await service.deliver("bidsketch", "proposal_created", proposal(1, { ...times, updated_at: times.created_at }));
  await service.deliver("bidsketch", "proposal_viewed", proposal(1, { ...times, status: "Viewed" }));
  await page.goto(`${service.url}/pipeline`);
  await expect(page.getByTestId("moment")).toContainText("Asia/Kolkata");
  const views = page.getByRole("img", { name: "Views by weekday and hour" });
  await expect(views.locator("[data-count='1'] title")).toHaveText("Sunday, 2 AM: 1 view");
  const funnel = page.getByRole("img", { name: /^Proposals by the month of creation/ });
  await expect(funnel).toHaveAccessibleDescription(/^Feb 2026: 1 created/);
});

test("an empty pipeline says where its numbers come from, and fills by itself", async ({ page, service }) => {
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(`${service.url}/pipeline`);
  await expect(page.getByText("There are no proposals yet")).toBeVisible();
  // The library of the charts is fetched once there is something to draw.
  expect(requests.filter((url) => url.includes("charts"))).toEqual([]);
  await state(page, "live").waitFor();
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await expect(page.getByRole("img", { name: /^Proposals by the month of creation/ })).toBeVisible();
  expect(requests.filter((url) => url.includes("charts")).length).toBeGreaterThan(0);
});

test("on paper there are tables in black on white, and nothing to press", async ({ page, service }) => {
  await deliverTwoWeeks(service);
  for (const [path, ready] of [
    ["/pipeline", "figure svg[role=img]"],
    ["/proposals", "tbody tr"],
    ["/proposals/bidsketch:1", "ol li"],
  ] as const) {
    await page.emulateMedia({ media: "screen", colorScheme: "dark" });
    await page.goto(service.url + path);
    await page.locator(ready).first().waitFor();
    await expect(page.getByRole("navigation")).toBeVisible();
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await expect(page.getByRole("navigation"), path).toBeHidden();
    await expect(page.locator("button:visible, select:visible, input:visible, [data-state]:visible"), path).toHaveCount(
      0,
    );
    await expect(page.getByRole("link", { name: "Open as query" }), path).toBeHidden();
    const colors = await page.evaluate(() => {
      const { color, backgroundColor } = getComputedStyle(document.body);
      return { color, backgroundColor };
    });
    expect(colors, path).toEqual({ color: "rgb(0, 0, 0)", backgroundColor: "rgba(0, 0, 0, 0)" });
    for (const thead of await page.locator("thead").all())
      await expect(thead).toHaveCSS("display", "table-header-group");
    const breaks = await page
      .locator("tr, li")
      .evaluateAll((rows) => rows.map((row) => getComputedStyle(row).breakInside));
    expect(new Set(breaks), path).toEqual(new Set(["avoid"]));
    // A scroll bar on paper hides what is behind it.
    const clipped = await page.evaluate(
      () =>
        [...document.querySelectorAll("main *")].filter((element) =>
          /auto|scroll/.test(getComputedStyle(element).overflowX),
        ).length,
    );
    expect(clipped, path).toBe(0);
  }
});

test("on paper the figures of a chart are open, and a list has all columns", async ({ page, service }) => {
  await deliverTwoWeeks(service);
  await page.goto(`${service.url}/pipeline`);
  const figures = page.getByRole("table").filter({ hasText: "Created in" });
  await page.locator("figure svg[role=img]").first().waitFor();
  await expect(figures).toBeHidden();
  await page.emulateMedia({ media: "print" });
  await expect(figures).toBeVisible();
  // As wide as A4 without its margins.
  await page.setViewportSize({ width: 700, height: 990 });
  await page.goto(`${service.url}/proposals`);
  await expect(page.getByRole("columnheader", { name: "Last event" })).toBeVisible();
  await page.emulateMedia({ media: "screen" });
  await expect(page.getByRole("columnheader", { name: "Last event" })).toBeHidden();
});

test("with forced colours bars, lines and cells have the system's", async ({ page, service }) => {
  await deliverTwoWeeks(service);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ forcedColors: "active", colorScheme });
    await page.goto(`${service.url}/pipeline`);
    await page.locator("figure svg[role=img] rect").first().waitFor();
    const system = await systemColors(page);
    const bar = page.locator("tr[data-status=PENDING] td").nth(1);
    expect(await bar.evaluate((element) => getComputedStyle(element).backgroundImage)).toContain(system.highlight);
    await expect(page.locator("path.visx-linepath")).toHaveCount(4);
    for (const line of await page.locator("path.visx-linepath").all())
      await expect(line).toHaveCSS("stroke", system.text);
    await expect(page.locator("rect[data-count='1']").first()).toHaveCSS("fill", system.text);
    await expect(page.getByRole("link", { name: "Pipeline" })).toHaveCSS("outline-style", "solid");
    expect(await seriousFindings(page)).toEqual([]);
  }
});

test("the row of an event says from which status to which", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  const event = await service.deliver("bidsketch", "proposal_accepted", proposal(1, { status: "Accepted" }));
  for (const path of ["/", "/events"]) {
    await page.goto(service.url + path);
    await expect(page.locator(`tr[data-event="${event}"] td`).last()).toHaveText("Pending to → Accepted");
    await expect(page.locator("tr[data-event='event:1'] td").last()).toHaveText("Pending");
  }
  await page.goto(`${service.url}/wall`);
  await expect(page.locator("ol li").first()).toContainText("Pending to → Accepted");
});
