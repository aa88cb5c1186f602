// Makes the pictures of the documentation: npm run screenshots. PICTURES=all makes one of every page.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, test } from "@playwright/test";
import { postHistory } from "./history.ts";
import { Service } from "./service.ts";

const directory = process.env.PICTURES_DIRECTORY ?? "../docs/pictures";
mkdirSync(directory, { recursive: true });

const sizes = {
  laptop: { width: 1280, height: 800 },
  wholePipeline: { width: 1280, height: 1940 },
  phone: { width: 390, height: 844 },
  wall: { width: 1920, height: 1080 },
};
type Size = keyof typeof sizes;

async function shoot(
  browser: Browser,
  base: string,
  name: string,
  path: string,
  size: Size,
  colorScheme: "light" | "dark",
  ready: string,
) {
  const page = await browser.newPage({ viewport: sizes[size], colorScheme });
  page.on("console", (message) => message.type() === "error" && console.error(name, message.text()));
  page.on("pageerror", (error) => console.error(name, error.message));
  await page.goto(base + path);
  await page.locator(ready).first().waitFor();
  await page.screenshot({ path: join(directory, `${name}.png`) });
  await page.close();
}

test("pictures", async ({ browser }) => {
  const service = await Service.start();
  await postHistory(service, 90);
  await service.simulate("--count", "120", "--rate", "200", "--linger", "1");
  await service.post("arcsite", "not json");
  const { proposals, events } = await service.query<{
    proposals: { nodes: { id: string }[] };
    events: { nodes: { id: string }[] };
  }>(
    "{ proposals(first: 1, orderBy: { field: TOTAL, direction: DESC }) { nodes { id } } events(first: 1, filter: { kind: [PROPOSAL_STATUS_CHANGED] }) { nodes { id } } }",
  );
  const event = events.nodes[0]?.id.slice(6);
  const proposal = proposals.nodes[0]?.id.slice(9);

  await shoot(browser, service.url, "pipeline", "/pipeline", "wholePipeline", "light", "figure rect[data-count]");
  await shoot(browser, service.url, "live", "/", "laptop", "light", "[data-state=live]");
  await shoot(browser, service.url, "live-panel-dark", `/?event=${event}`, "laptop", "dark", "[data-testid=details]");
  if (process.env.PICTURES === "all") {
    await shoot(browser, service.url, "live-phone", "/", "phone", "light", "[data-state=live]");
    await shoot(
      browser,
      service.url,
      "live-panel-phone-dark",
      `/?event=${event}`,
      "phone",
      "dark",
      "[data-testid=details]",
    );
    await shoot(browser, service.url, "events", "/events?not-kind=drawing-updated", "laptop", "light", "[data-event]");
    await shoot(browser, service.url, "event", `/events/${event}`, "laptop", "light", "[data-testid=details]");
    await shoot(browser, service.url, "proposals", "/proposals", "laptop", "light", "tbody tr");
    await shoot(browser, service.url, "proposals-phone", "/proposals", "phone", "dark", "tbody tr");
    await shoot(browser, service.url, "proposal", `/proposals/${proposal}`, "laptop", "dark", "ol li");
    await shoot(browser, service.url, "hooks", "/hooks", "laptop", "light", "[data-webhook]");
    await shoot(browser, service.url, "hooks-phone", "/hooks", "phone", "light", "[data-webhook]");
    await shoot(browser, service.url, "quarantine", "/quarantine", "laptop", "dark", "[data-delivery]");
    await shoot(browser, service.url, "settings", "/settings", "laptop", "light", "h2");
    await shoot(browser, service.url, "sign-in", "/sign-in", "laptop", "light", "input");
    await shoot(browser, service.url, "wall-pipeline", "/wall?show=pipeline", "wall", "dark", "[data-status]");
    await shoot(browser, service.url, "wall-pipeline-phone", "/wall?show=pipeline", "phone", "light", "[data-status]");
    await shoot(browser, service.url, "playground", "/playground", "laptop", "light", ".view-line");
  }
  await shoot(browser, service.url, "wall", "/wall", "wall", "dark", "[data-state=live]");
  await service.end();
});
