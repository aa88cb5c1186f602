import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test as base, expect, type Page } from "@playwright/test";
import { Service } from "./service.ts";

declare global {
  interface Window {
    violations: string[];
    axe: { run(context: Document, options: object): Promise<{ violations: AxeViolation[] }> };
  }
}

interface AxeViolation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

interface Fixtures {
  /** Ends what the test started, the latest first: after its page is closed, and also if the test failed. */
  owned: <T extends { end(): unknown }>(started: T) => T;
  service: Service;
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A page of a test reports every error and every violation of its Content Security Policy, which fail the test. */
export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures here
  owned: async ({}, use) => {
    const all: { end(): unknown }[] = [];
    await use((started) => {
      all.unshift(started);
      return started;
    });
    for (const started of all) await started.end();
  },
  service: async ({ owned }, use) => {
    await use(owned(await Service.start()));
  },
  // `owned` ends after the page: an open page would miss the files of a service that has ended.
  page: async ({ owned: _, page }, use) => {
    const problems: string[] = [];
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(
          `CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`,
        );
      });
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("CSP:") || message.text().includes("Content Security Policy"))
        problems.push(message.text());
    });
    await use(page);
    expect(problems).toEqual([]);
  },
});

export { expect };

/** The serious findings of axe on a page, but for these. */
export async function seriousFindings(page: Page, except: string[] = []): Promise<string[]> {
  // A script in the page would need an exception in its policy; the debugger's does not.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ id, impact }) => (impact === "serious" || impact === "critical") && !except.includes(id))
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
}

/** The system's colours, as the styles of a page have them. */
export function systemColors(page: Page) {
  return page.evaluate(() => {
    const of = (name: string) => {
      const probe = document.body.appendChild(document.createElement("p"));
      probe.style.color = name;
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    };
    return { canvas: of("Canvas"), text: of("CanvasText"), highlight: of("Highlight") };
  });
}

export const state = (page: Page, name: string) => page.locator(`[data-state="${name}"]`).first();

/** Makes the page try again at once, as a network that is back does. It may be within a try that fails. */
export async function hurry(page: Page) {
  await page.evaluate(() => dispatchEvent(new Event("online")));
}

/** Makes the page try again until it is live. It may also load itself again meanwhile. */
export async function comeBack(page: Page) {
  await expect(async () => {
    await hurry(page);
    await state(page, "live").waitFor({ timeout: 1000 });
  }).toPass();
}

/** Presses `g` and the letter of a page. The second key counts within a second: a slow machine may need another try. */
export async function jump(page: Page, letter: string, url: string) {
  await expect(async () => {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await expect(page).toHaveURL(url, { timeout: 1000 });
  }).toPass();
}

/** The rows of the list, newest first: an event's id, or `gap` with its count. */
export function rows(page: Page): Promise<string[]> {
  return page
    .locator("tr[data-event], tr[data-gap]")
    .evaluateAll((elements) =>
      elements.map(
        ({ dataset }) => (dataset as { event?: string }).event ?? `gap ${(dataset as { gap?: string }).gap}`,
      ),
    );
}

export const proposal = (id: number, more: object = {}) => ({
  id,
  name: `Fence ${id}`,
  status: "Pending",
  total: "7385.00",
  currency: "USD",
  client: { id: 900, name: "Quarry Lane Dental" },
  created_at: "2026-03-02T09:30:00-05:00",
  updated_at: "2026-03-02T09:30:00-05:00",
  ...more,
});
