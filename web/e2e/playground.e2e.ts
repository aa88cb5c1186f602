import { expect, proposal, seriousFindings, test } from "./fixtures.ts";

// GraphiQL's own; docs/DASHBOARD.md names them.
const ofGraphiql = ["aria-valid-attr-value", "color-contrast", "nested-interactive", "link-in-text-block"];

test("the playground works from the binary alone, and its log resumes a subscription", async ({ page, service }) => {
  test.setTimeout(60_000);
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
  // Events are live only: the subscription has begun once one of them arrives.
  await expect
    .poll(async () => {
      await service.deliver("bidsketch", "client_created", { id: Date.now(), name: "Quarry Lane Dental" });
      return log.getByRole("listitem").count();
    })
    .toBeGreaterThan(0);
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

test("the editor completes by the schema, and marks what is wrong", async ({ page, service }) => {
  await page.goto(`${service.url}/playground`);
  await expect(page.locator(".graphiql-query-editor .view-lines")).toContainText("query Latest");
  await page.getByRole("button", { name: "New tab" }).click();
  const editor = page.locator(".graphiql-query-editor .monaco-editor").first();
  await editor.click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("{ proj");
  await expect(page.locator(".suggest-widget")).toContainText("projects");
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
