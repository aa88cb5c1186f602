import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { expect, test } from "./fixtures.ts";
import { end } from "./process.ts";
import { programs, Service } from "./service.ts";

/** Bidsketch's API, as the simulator plays it, and what to set in the service. */
async function bidsketch() {
  const child = spawn(`${programs}/simulator`, ["--api", "127.0.0.1:0", "--vendor", "bidsketch", "--rate", "0.001"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const env: Record<string, string> = {};
  for await (const line of createInterface({ input: child.stdout })) {
    for (const [, name, value] of line.matchAll(/(BIDARC_\w+)=(\S+)/g)) if (name && value) env[name] = value;
    if (env.BIDARC_BIDSKETCH__API_TOKEN) break;
  }
  child.stdout.resume();
  return { env, end: () => end(child) };
}

test("webhooks are created, shown whole once, and deleted by a typed word", async ({ page, owned }) => {
  const vendor = owned(await bidsketch());
  const service = owned(await Service.start({ env: vendor.env }));
  await page.goto(`${service.url}/hooks`);
  const hook = (event: string) => page.locator(`[data-webhook=${event}]`);
  await hook("CLIENT_CREATED").getByRole("button", { name: "Create" }).click();
  const made = page.getByRole("region", { name: "New endpoints" });
  await expect(made.locator("pre")).toHaveCount(1);
  await expect(made.locator("pre")).toHaveText(new RegExp(`^${service.url}/webhooks/bidsketch/[\\w-]{20,}$`));
  await expect(hook("CLIENT_CREATED")).toContainText("Active");
  await page.getByRole("button", { name: "Create all that are missing" }).click();
  // The first one stays: it is shown this once.
  await expect(made.locator("pre")).toHaveCount(7);
  for (const event of ["PROPOSAL_SENT", "PROPOSAL_ACCEPTED_OR_DECLINED"])
    await expect(hook(event)).toContainText("Active");
  await expect(page.getByRole("button", { name: "Create all that are missing" })).toBeDisabled();
  await made.getByRole("button", { name: "Done" }).click();
  await expect(made).toHaveCount(0);
  await expect(hook("PROPOSAL_SENT")).toContainText("…");

  await hook("PROPOSAL_SENT").getByRole("button", { name: "Delete…" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Delete" })).toBeDisabled();
  await dialog.getByLabel("Type “delete” to confirm").fill("delete");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(hook("PROPOSAL_SENT")).toContainText("None");
});

test("a webhook that cannot be created says which setting is missing", async ({ page, service }) => {
  await page.goto(`${service.url}/hooks`);
  await page.locator("[data-webhook=CLIENT_CREATED]").getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("alert")).toContainText("bidsketch.api_token");
});

test("a quarantined delivery shows its bytes, and is released", async ({ page, owned }) => {
  const secret = "whsec_0123456789abcdef0123456789abcdef";
  const service = owned(await Service.start({ env: { BIDARC_ARCSITE__SIGNING_SECRETS: secret } }));
  // Signed long ago: the signature is right, its time is not believed.
  const body = '{"event":"project.created","data":{"id":36029621652695041,"name":"Back fence, Hollis"}}';
  const t = 1_700_000_000;
  const signature = `t=${t},v=${createHmac("sha256", secret).update(`${t}.${body}`).digest("hex")}`;
  const answer = await fetch(`${service.url}/webhooks/arcsite`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "ArcSite-Signature": signature },
    body,
  });
  expect(((await answer.json()) as { outcome: string }).outcome).toBe("QUARANTINED");
  await page.goto(`${service.url}/quarantine`);
  const item = page.locator("[data-delivery]");
  await expect(item).toContainText("Old signature");
  await item.getByRole("button", { name: "Bytes" }).click();
  await expect(item.locator("pre")).toContainText("00000000  7b 22 65 76 65 6e 74 22");
  await item.getByRole("button", { name: "Release" }).click();
  await expect(page.getByRole("status").filter({ hasText: "became" })).toContainText(
    "delivery:1 became event:1: Project created.",
  );
  await expect(page.getByText("Nothing is in quarantine")).toBeVisible();
});

test("what is still invalid stays, with the reason; all are released at once", async ({ page, service }) => {
  await service.post("arcsite", "not json");
  await page.goto(`${service.url}/quarantine`);
  await page.locator("[data-delivery]").getByRole("button", { name: "Release" }).click();
  await expect(page.getByRole("alert")).toContainText("STILL_INVALID");
  await page.getByRole("button", { name: "Release all 1" }).click();
  await expect(page.getByText("0 released, 1 still invalid.")).toBeVisible();
});

test("a vendor that is silent for longer than usual is named, with what to do", async ({ page, owned }) => {
  const service = owned(await Service.start({ env: { BIDARC_BIDSKETCH__PATH_TOKEN: "0123456789abcdef0123" } }));
  await service.deliver("bidsketch", "client_created", { id: 900, name: "Quarry Lane Dental" });
  // Five days have a workday among them.
  await page.clock.install({ time: Date.now() + 5 * 86_400_000 });
  await page.goto(`${service.url}/hooks`);
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("Bidsketch has been silent since");
  await expect(alert).toContainText("create again those that failed");
  await expect(page.getByText(`${service.url}/webhooks/bidsketch/…`)).toBeVisible();
  await expect(page.getByRole("link", { name: "Hooks 1 vendor is silent" })).toBeVisible();
  // One whose secret is wrong is refused.
  await fetch(`${service.url}/webhooks/bidsketch/0123456789abcdef9999`, { method: "POST", body: "{}" });
  await expect
    .poll(async () => {
      const { service: found } = await service.query<{ service: { vendors: { lastRefusedAt: string | null }[] } }>(
        "{ service { vendors { lastRefusedAt } } }",
      );
      return found.vendors.some(({ lastRefusedAt }) => lastRefusedAt);
    })
    .toBe(true);
  await page.reload();
  await expect(alert).toContainText("Something was refused since then");
  await page.goto(`${service.url}/wall`);
  await expect(page.getByText("Bidsketch has been silent since")).toBeVisible();
  await page.goto(`${service.url}/settings`);
  await page.getByLabel("Say that a vendor is silent").selectOption("Never");
  await expect(page.getByRole("link", { name: "Hooks", exact: true })).toBeVisible();
});
