import { expect, jump, proposal, seriousFindings, state, systemColors, test } from "./fixtures.ts";
import { freePort, Nginx } from "./nginx.ts";
import { Service } from "./service.ts";

const sizes = {
  phone: { width: 390, height: 844 },
  laptop: { width: 1280, height: 800 },
  wall: { width: 1920, height: 1080 },
};

test("every page loads at every size in both themes, without serious findings", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  const event = await service.deliver("bidsketch", "proposal_accepted", proposal(1, { status: "Accepted" }));
  await service.post("arcsite", "not json");
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  for (const [path, ready] of [
    ["/", "tr[data-event]"],
    [`/?event=${event.slice(6)}`, "[data-testid=details] [role=tabpanel] li"],
    ["/events", "tr[data-event]"],
    [`/events/${event.slice(6)}`, "[data-testid=details] [role=tabpanel] li"],
    ["/pipeline", "[data-status=ACCEPTED]"],
    ["/proposals", "tbody tr"],
    ["/proposals/bidsketch:1", "ol li"],
    ["/hooks", "[data-webhook]"],
    ["/quarantine", "[data-delivery]"],
    ["/wall", "ol li"],
    ["/wall?show=pipeline", "[data-status]"],
    ["/settings", "select"],
    ["/sign-in", "input[name=token]"],
  ] as const) {
    await page.goto(service.url + path);
    await page.locator(ready).first().waitFor();
    if (path !== "/sign-in") await state(page, "live").waitFor();
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect.soft(overflow, `${path} is wider than a ${size}`).toBeLessThanOrEqual(0);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        expect.soft(await seriousFindings(page), `${path} on a ${size}, ${colorScheme}`).toEqual([]);
      }
    }
  }
  // Everything comes from the service, and nothing of the playground is on a page of the dashboard.
  expect(requests.filter((url) => !url.startsWith(service.url))).toEqual([]);
  expect(requests.filter((url) => /playground|monaco|worker/.test(url))).toEqual([]);
});

test("a page of another path is not answered, and a reload of a deep one works", async ({ page, service }) => {
  expect((await page.goto(`${service.url}/webhooks/events`))?.status()).toBe(404);
  const event = await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(`${service.url}/events/${event.slice(6)}`);
  await expect(page.getByRole("heading", { name: "Proposal created" })).toBeVisible();
  await page.getByRole("link", { name: "← Events" }).click();
  await expect(page).toHaveURL(`${service.url}/events`);
  await page.goBack();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Proposal created" })).toBeVisible();
});

test("a page that the database does not answer says so, and shows what it asks for again", async ({
  page,
  service,
}) => {
  const event = await service.deliver("bidsketch", "proposal_created", proposal(1));
  for (const [path, shown] of [
    ["/proposals/bidsketch:1", "Fence 1"],
    [`/events/${event.slice(6)}`, "Proposal created"],
  ] as const) {
    // As the service answers while its database is away.
    await page.route("**/graphql", (route) =>
      route.fulfill({
        json: { data: { node: null }, errors: [{ message: "away", extensions: { code: "UNAVAILABLE" } }] },
      }),
    );
    await page.goto(service.url + path);
    await expect(page.getByRole("main").getByRole("alert")).toBeVisible();
    await expect(page.getByText(/There is no such/)).toHaveCount(0);
    await page.unroute("**/graphql");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("heading", { name: new RegExp(shown) }).first()).toBeVisible();
  }
});

test("an empty service says what to do, and turns live at the first delivery", async ({ page, service }) => {
  await page.goto(service.url);
  await expect(page.getByText("Waiting for the first delivery")).toBeVisible();
  await expect(page.getByText(`${service.url}/webhooks/arcsite`, { exact: true })).toBeVisible();
  await service.deliver("bidsketch", "client_created", { id: 900, name: "Quarry Lane Dental" });
  await expect(page.locator("tr[data-event]")).toHaveCount(1);
});

test("the pages work below a path of nginx, with a session", async ({ page, context, owned }) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/bidarc`;
  let key = "";
  const service = owned(
    await Service.start({
      port: await freePort(),
      env: { BIDARC_SERVER__PUBLIC_URL: url, BIDARC_BIDSKETCH__PATH_TOKEN: "0123456789abcdef0123" },
      prepare: (made) => {
        key = made.keys("add", "office", "--scope", "read").trim().split("\n").at(-1) ?? "";
      },
    }),
  );
  const event = await service.deliver("bidsketch", "proposal_created", proposal(1));
  const nginx = owned(await Nginx.start(port, "/bidarc", service.url));
  await page.goto(`${url}/events/${event.slice(6)}`);
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await state(page, "live").waitFor();
  expect(await context.cookies()).toMatchObject([{ path: "/bidarc" }]);
  await page.getByRole("link", { name: "Live", exact: true }).click();
  await expect(page).toHaveURL(`${url}/`);
  await expect(page.locator("tr[data-event]")).toHaveCount(1);
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await expect(page.locator("tr[data-event]")).toHaveCount(2);
  await expect(state(page, "live")).not.toContainText("by the slower way");
  await page.getByRole("link", { name: "Playground" }).click();
  await expect(page).toHaveURL(`${url}/playground`);
  await expect(page.locator(".graphiql-query-editor .view-lines")).toContainText("query Latest");
  await page.getByRole("button", { name: /Execute query/ }).click();
  await expect(page.locator(".graphiql-response")).toContainText("Fence 2");
  expect(nginx.errors).toBe("");
});

test("with forced colours it shows what is selected", async ({ page, service }) => {
  const event = await service.deliver("bidsketch", "proposal_created", proposal(1));
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await page.emulateMedia({ forcedColors: "active" });
  await page.goto(`${service.url}/?event=${event.slice(6)}`);
  const system = await systemColors(page);
  const tab = (name: string) => page.getByRole("tab", { name });
  await expect(tab("Payload")).toHaveCSS("border-bottom-color", system.highlight);
  await expect(tab("Raw")).toHaveCSS("border-bottom-color", system.canvas);
  await expect(page.locator(`tr[data-event="${event}"]`)).toHaveCSS("outline-style", "solid");
  await expect(page.locator("tr[data-event='event:2']")).toHaveCSS("outline-style", "none");
  await page.keyboard.press("Control+k");
  const options = page.getByRole("dialog", { name: "Go to" }).getByRole("option");
  await expect(options.first()).toHaveCSS("outline-style", "solid");
  await expect(options.nth(1)).toHaveCSS("outline-style", "none");
  expect(await seriousFindings(page)).toEqual([]);
  await page.goto(`${service.url}/wall?show=pipeline`);
  const bar = page.locator("tr[data-status=PENDING] td").first();
  await expect(bar).toHaveCSS("background-image", new RegExp(system.highlight.replaceAll(/[()]/g, "\\$&")));
  await expect(bar).toHaveCSS("color", system.text);
});

test("the palette goes to a page and to a proposal, and keys can be switched off", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(service.url);
  await state(page, "live").waitFor();
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Go to" });
  await palette.getByRole("combobox").fill("fence");
  await expect(palette.getByRole("option", { name: "Fence 1" })).toHaveAttribute("aria-selected", "true");
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${service.url}/proposals/bidsketch:1`);
  await expect(palette).toHaveCount(0);
  await jump(page, "e", `${service.url}/events`);
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keys" });
  await help.getByLabel("Keys are on").uncheck();
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(help).toHaveCount(0);
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await page.keyboard.press("Control+k");
  await expect(palette).toBeVisible();
  await expect(page).toHaveURL(`${service.url}/events`);
});

test("a page whose script cannot be fetched leaves the others and the palette whole", async ({ page, service }) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.goto(service.url);
  await state(page, "live").waitFor();
  await page.route("**/assets/**", (route) => route.abort());
  await page.getByRole("link", { name: "Proposals", exact: true }).click();
  await expect(page.getByText("This part of the page is broken")).toBeVisible();
  await page.getByRole("link", { name: "Live", exact: true }).click();
  await expect(page.locator("tr[data-event]")).toHaveCount(1);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Go to" }).getByRole("option", { name: "Proposals" }).click();
  await expect(page.getByText("This part of the page is broken")).toBeVisible();
  await page.unroute("**/assets/**");
  await page.getByRole("button", { name: "Load the page again" }).click();
  await expect(page.getByRole("link", { name: "Fence 1" })).toBeVisible();
});
