import type { Page } from "@playwright/test";
import { expect, seriousFindings, test } from "./fixtures.ts";
import { freePort, Nginx } from "./nginx.ts";
import type { Service } from "./service.ts";

interface File {
  id: string;
  state: string;
  expiresAt: string;
}

/** ArcSite's events of every type, whose files the service has tried to fetch by the end. */
async function simulateFiles(service: Service, ...args: string[]) {
  await service.simulate("--vendor", "arcsite", "--every-event", "--rate", "200", "--linger", "3", ...args);
  await expect
    .poll(async () => (await drawings(service)).flatMap(({ pdf, png }) => [pdf?.state, png?.state]))
    .not.toContain("PENDING");
}

/** The events of drawings that name both files, with their number for the page. */
async function drawings(service: Service) {
  const { events } = await service.query<{
    events: { nodes: { id: string; pdf: File | null; png: File | null }[] };
  }>(
    `{ events(first: 20, filter: { kind: [DRAWING_CREATED, DRAWING_UPDATED] }) {
      nodes { id ... on DrawingEvent { pdf { ...File } png { ...File } } }
    } }
    fragment File on StoredFile { id state expiresAt }`,
  );
  const found = events.nodes.filter(({ pdf, png }) => pdf && png);
  expect(found.length).toBeGreaterThan(0);
  return found;
}

/** Ends open mode, in which the service fetches from this machine, with a key that may only read. */
async function addKey(service: Service): Promise<string> {
  const output = service.keys("add", "office", "--scope", "read");
  await expect.poll(async () => (await fetch(`${service.url}/graphql?query={__typename}`)).status).toBe(401);
  return output.trim().split("\n").at(-1) ?? "";
}

async function signIn(page: Page, key: string) {
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const details = (id: string) => `/events/${id.slice(6)}`;

const files = (page: Page) => page.getByRole("region", { name: "Files" });

/** Whether the browser has drawn a picture. */
const isDrawn = (page: Page) =>
  expect
    .poll(() =>
      files(page)
        .locator("img")
        .first()
        .evaluate((image: HTMLImageElement) => image.naturalWidth),
    )
    .toBeGreaterThan(0);

test("a drawing's picture is shown after its link has died", async ({ page, service }) => {
  await simulateFiles(service, "--link-lifetime", "8");
  const drawing = (await drawings(service)).find(({ pdf, png }) => pdf?.state === "STORED" && png?.state === "STORED");
  expect(drawing, "a drawing whose files are stored").toBeDefined();
  const death = Date.parse(drawing?.png?.expiresAt ?? "");
  await expect.poll(() => Date.now() > death).toBe(true);
  await page.goto(service.url + details(drawing?.id ?? ""));
  const items = files(page).getByRole("listitem");
  await expect(items).toHaveCount(2);
  await expect(items.first()).toContainText(/Stored.*PNG, .*[kM]B, stored .* · ArcSite's link died/s);
  await isDrawn(page);
  await expect(files(page).getByRole("button")).toHaveCount(0);
  const links = await files(page).getByRole("link", { name: /^Open/ }).all();
  const types: string[] = [];
  for (const link of links) {
    const answer = await page.request.get((await link.getAttribute("href")) ?? "");
    expect(answer.ok()).toBe(true);
    types.push(answer.headers()["content-type"] ?? "");
  }
  expect(types).toEqual(["image/png", "application/pdf"]);
  expect(await seriousFindings(page)).toEqual([]);
  // Beside a list too.
  await page.goto(`${service.url}/?event=${drawing?.id.slice(6)}`);
  await isDrawn(page);
});

test("a file that failed says why, and is tried again", async ({ page, service }) => {
  // The links live for an hour: what waits for another try is lost soon.
  await simulateFiles(service, "--lost-files", "1", "--link-lifetime", "3600");
  const [drawing] = await drawings(service);
  await page.goto(service.url + details(drawing?.id ?? ""));
  const items = files(page).getByRole("listitem");
  await expect(items).toHaveCount(2);
  for (const item of await items.all()) {
    await expect(item).toContainText("Failed");
    await expect(item).toContainText(/Why: \w.*\. It is not tried again by itself\./);
  }
  await expect(files(page).getByRole("img")).toHaveCount(0);
  await expect(files(page).getByRole("link", { name: /^Open/ })).toHaveCount(0);
  expect(await seriousFindings(page)).toEqual([]);

  // The simulator has ended, so no one answers.
  await files(page).getByRole("button", { name: "Try again" }).click();
  await expect(items.first()).toContainText(
    /Not stored yet.*Why: .* It will be tried again until ArcSite's link dies\./s,
  );
  await expect(files(page).getByRole("alert")).toContainText(/2 files are not stored yet, and .* within 6 hours/);
  expect(await seriousFindings(page)).toEqual([]);
});

test("the page of a proposal has its files, and a key that may only read cannot try again", async ({
  page,
  service,
}) => {
  await simulateFiles(service, "--lost-files", "1");
  const { proposals } = await service.query<{ proposals: { nodes: { id: string; files: File[] }[] } }>(
    "{ proposals(first: 20) { nodes { id files { id state expiresAt } } } }",
  );
  const proposal = proposals.nodes.find((found) => found.files.length > 0);
  const key = await addKey(service);
  await page.goto(`${service.url}/proposals/${proposal?.id.slice(9)}`);
  await signIn(page, key);
  await expect(page.locator("[data-file]")).toHaveCount(proposal?.files.length ?? 0);
  await expect(page.locator("[data-file]").first()).toContainText("Why: ");
  const again = page.getByRole("button", { name: "Try again" });
  await expect(again).toBeDisabled();
  await expect(again).toHaveAttribute("title", /“office” may only read/);
  await expect(page.getByText("The key “office” may only read.")).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
});

test("below the path of a proxy a picture is shown, also if the service does not know the path", async ({
  page,
  service,
  owned,
}) => {
  await simulateFiles(service);
  const [drawing] = await drawings(service);
  const key = await addKey(service);
  const port = await freePort();
  const nginx = owned(await Nginx.start(port, "/bidarc", service.url));
  await page.goto(`http://127.0.0.1:${port}/bidarc${details(drawing?.id ?? "")}`);
  await signIn(page, key);
  await isDrawn(page);
  expect(nginx.errors).toBe("");
});
