import { expect, proposal, rows, state, test } from "./fixtures.ts";

const token = (output: string) => output.trim().split("\n").at(-1) ?? "";

test("a key that is added signs the page out, and signing in goes on without a loss", async ({
  page,
  service,
  context,
}) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(service.url);
  await state(page, "live").waitFor();
  const key = token(service.keys("add", "office", "--scope", "read"));
  const dialog = page.getByRole("dialog", { name: "Sign in" });
  await expect(dialog).toBeVisible();
  await expect(state(page, "signed-out")).toBeAttached();
  await expect(page.locator("tr[data-event]")).toHaveCount(1);
  await service.deliver("bidsketch", "proposal_created", proposal(2));

  await dialog.getByLabel("Key").fill("bidarc_wrong");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog.getByRole("alert")).toContainText("wrong");
  await dialog.getByLabel("Key").fill(key);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog).toHaveCount(0);
  await state(page, "live").waitFor();
  await expect(page).toHaveURL(`${service.url}/`);
  await expect.poll(() => rows(page)).toEqual(["event:2", "gap 1", "event:1"]);

  // The key is nowhere where a script could read it.
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  const stored = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  );
  expect(stored).not.toContain(key);
  expect(stored).not.toContain(cookie?.value);

  // A key that may only read finds what it may not do, and why.
  await page.getByRole("link", { name: "Hooks" }).click();
  await expect(page.getByText("The key “office” may only read.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Create all that are missing" })).toBeDisabled();

  await page.getByRole("link", { name: "Settings" }).click();
  await expect(page.getByText("Signed in with the key office")).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(`${service.url}/sign-in`);
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await state(page, "live").waitFor();
});

test("a key that is revoked signs the page out", async ({ page, service }) => {
  service.keys("add", "other", "--scope", "manage");
  const key = token(service.keys("add", "office", "--scope", "manage"));
  await expect.poll(async () => (await fetch(`${service.url}/graphql?query={__typename}`)).status).toBe(401);
  await page.goto(`${service.url}/sign-in`);
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await state(page, "live").waitFor();
  service.keys("revoke", "office");
  await expect(page.getByRole("dialog", { name: "Sign in" })).toBeVisible();
});

test("the playground asks for a key, and takes the session", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  const key = token(service.keys("add", "office", "--scope", "read"));
  await expect.poll(async () => (await fetch(`${service.url}/graphql?query={__typename}`)).status).toBe(401);
  await page.goto(`${service.url}/playground`);
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(`${service.url}/playground`);
  await expect(page.locator(".graphiql-query-editor .view-lines")).toContainText("query Latest");
  await page.getByRole("button", { name: /Execute query/ }).click();
  await expect(page.locator(".graphiql-response")).toContainText("Fence 1");
});
