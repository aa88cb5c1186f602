import type { Locator } from "@playwright/test";
import { expect, proposal, seriousFindings, test } from "./fixtures.ts";
import type { Service } from "./service.ts";

// GraphiQL's own; docs/DASHBOARD.md names them.
const ofGraphiql = ["aria-valid-attr-value", "color-contrast", "nested-interactive", "link-in-text-block"];

/** Events are live only: the subscription has begun once one of them arrives. */
async function deliverUntilLogged(service: Service, log: Locator) {
  await expect
    .poll(async () => {
      await service.deliver("bidsketch", "client_created", { id: Date.now(), name: "Quarry Lane Dental" });
      return log.getByRole("listitem").count();
    })
    .toBeGreaterThan(0);
}

test("the playground works from the binary alone, and its log resumes a subscription", async ({ page, service }) => {
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(`${service.url}/playground`);
  await expect(page.locator(".graphiql-tab")).toHaveText([/Latest/, /Live/, /Pipeline/, /Webhooks/]);
  const editor = page.locator(".graphiql-query-editor .view-lines");
  const result = page.locator(".graphiql-response");
  await expect(editor).toContainText("query Latest");
  await page.getByRole("button", { name: /Execute query/ }).click();
  await expect(result).toContainText("Fence 1");

  // A subscription, its log, and a resumption after the first of its results.
  await page.locator(".graphiql-tab", { hasText: "Live" }).click();
  await expect(editor).toContainText("subscription Live");
  await page.getByRole("button", { name: "Show Log" }).click();
  const log = page.getByRole("region", { name: "Log" });
  await page.getByRole("button", { name: /Execute query/ }).click();
  await deliverUntilLogged(service, log);
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await expect(log.getByRole("listitem").first()).toContainText("PROPOSAL_CREATED");
  const before = await log.getByRole("listitem").count();
  await log.getByRole("listitem").nth(1).getByRole("button", { name: "Resume" }).click();
  // The event after that result comes again.
  await expect(log.getByRole("listitem")).toHaveCount(before + 1);
  await expect(log.getByRole("listitem").first()).toContainText("PROPOSAL_CREATED");

  expect(await seriousFindings(page, ofGraphiql)).toEqual([]);
  expect(
    requests.filter((url) => !url.startsWith(service.url) && !url.startsWith("data:") && !url.startsWith("blob:")),
  ).toEqual([]);
});

test("a tab runs what it shows, also in the moment in which it is opened", async ({ page, service }) => {
  await page.goto(`${service.url}/playground`);
  await expect(page.locator(".graphiql-query-editor .view-lines")).toContainText("query Latest");
  await page.getByRole("button", { name: "Show Log" }).click();
  // GraphiQL reads its editor 100 ms after a change: both clicks come before that.
  await page.evaluate(() => {
    const tabs = [...document.querySelectorAll<HTMLElement>(".graphiql-tab button")];
    tabs.find((tab) => tab.textContent?.includes("Live"))?.click();
    document.querySelector<HTMLElement>(".graphiql-execute-button")?.click();
  });
  await expect(page.getByRole("button", { name: /Stop query/ })).toBeVisible();
  const log = page.getByRole("region", { name: "Log" });
  await deliverUntilLogged(service, log);

  // Neither does it matter which tab is open when a result is resumed after.
  await page.getByRole("button", { name: /Stop query/ }).click();
  await page.locator(".graphiql-tab", { hasText: "Latest" }).click();
  await page.getByRole("button", { name: /Execute query/ }).click();
  await expect(page.locator(".graphiql-response")).toContainText("headCursor");
  const count = await log.getByRole("listitem").count();
  await log.getByRole("listitem").last().getByRole("button", { name: "Resume" }).click();
  await expect(page.getByRole("button", { name: /Stop query/ })).toBeVisible();
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await expect(log.getByRole("listitem").first()).toContainText("PROPOSAL_CREATED");
  expect(await log.getByRole("listitem").count()).toBeGreaterThan(count);
});

test("a subscription that is stopped ends at once", async ({ page, service }) => {
  await page.goto(`${service.url}/playground`);
  await page.locator(".graphiql-tab", { hasText: "Live" }).click();
  await page.getByRole("button", { name: "Show Log" }).click();
  const log = page.getByRole("region", { name: "Log" });
  const run = page.getByRole("button", { name: /Execute query/ });
  const stop = page.getByRole("button", { name: /Stop query/ });
  await run.click();
  await deliverUntilLogged(service, log);
  await stop.click();
  await run.click();
  await expect(stop).toBeVisible();
  await log.getByRole("button", { name: "Clear" }).click();
  await deliverUntilLogged(service, log);
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await expect(log.getByRole("listitem").first()).toContainText("PROPOSAL_CREATED");
  // The first subscription logs nothing any more, and the second can be stopped.
  const ids = (await log.getByRole("listitem").allInnerTexts()).map((text) => /event:\d+/.exec(text)?.[0]);
  expect(ids).toEqual([...new Set(ids)]);
  await expect(stop).toBeVisible();
});

test("the editor completes by the schema, and marks what is wrong", async ({ page, service }) => {
  const schema = page.waitForResponse((response) => !!response.request().postData()?.includes("IntrospectionQuery"));
  await page.goto(`${service.url}/playground`);
  await expect(page.locator(".graphiql-query-editor .view-lines")).toContainText("query Latest");
  await schema;
  await page.getByRole("button", { name: "New tab" }).click();
  const editor = page.locator(".graphiql-query-editor .monaco-editor").first();
  await editor.click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("{ proj");
  // The editor may get the schema after the keys.
  await expect(async () => {
    await page.keyboard.press("Control+Space");
    await expect(page.locator(".suggest-widget")).toContainText("projects", { timeout: 1000 });
  }).toPass();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("{ nonsense }");
  await expect(page.locator(".graphiql-query-editor .squiggly-error")).toBeVisible();
});

test("a view is opened as a query", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(`${service.url}/proposals?status=pending`);
  await page.locator("tbody tr").waitFor();
  await page.locator("h1").click();
  await page.keyboard.press("q");
  await expect(page.locator(".graphiql-query-editor .view-lines")).toContainText("query ProposalList");
  await page.getByRole("button", { name: /Execute query/ }).click();
  await expect(page.locator(".graphiql-response")).toContainText("Fence 1");
});
