// What moves by itself while a page loads, and how fast it answers the keyboard and the mouse.
import { expect, proposal, state, test } from "./fixtures.ts";

/** As the budget has it. */
const SHIFT_MOST = 0.02;

interface Noted {
  shifts: { value: number; of: string[] }[];
  interactions: number[];
}

test("a page that loads does not move what it shows; how long interactions took", async ({ page, service }) => {
  await service.simulate("--count", "60", "--rate", "500", "--linger", "1");
  await page.addInitScript(() => {
    const noted: Noted = { shifts: [], interactions: [] };
    Object.assign(window, { noted });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
        sources: { node: Node | null }[];
      })[]) {
        if (entry.hadRecentInput) continue;
        const of = entry.sources.map(({ node }) => (node instanceof Element ? node.outerHTML.slice(0, 80) : ""));
        noted.shifts.push({ value: entry.value, of });
      }
    }).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => {
      noted.interactions.push(...list.getEntries().map(({ duration }) => duration));
    }).observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);
  });
  const noted = () => page.evaluate(() => (window as unknown as { noted: Noted }).noted);
  for (const [path, ready] of [
    ["/", "tr[data-event]"],
    ["/events", "tr[data-event]"],
    ["/events/1", "[data-testid=details] [role=tabpanel] li"],
    ["/proposals", "tbody tr"],
    ["/hooks", "[data-webhook]"],
    ["/quarantine", "h2"],
    ["/wall", "ol li"],
    ["/wall?show=pipeline", "[data-status]"],
    ["/settings", "select"],
  ] as const) {
    await page.goto("about:blank");
    // Each page is seen as at a first visit: nothing is restored.
    await page.goto(service.url + path);
    await page.locator(ready).first().waitFor();
    await state(page, "live").waitFor();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
    const { shifts } = await noted();
    const sum = shifts.reduce((total, { value }) => total + value, 0);
    console.log(`layout shift of ${path}: ${sum.toFixed(4)}`);
    expect.soft(sum, `${path}: ${JSON.stringify(shifts)}`).toBeLessThanOrEqual(SHIFT_MOST);
  }

  await page.goto(service.url);
  await state(page, "live").waitFor();
  for (const key of ["j", "j", "Enter", "j", "k", "]", "[", "Escape", "p", "p", "d", "d", "d"])
    await page.keyboard.press(key);
  const event = await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.locator(`tr[data-event="${event}"] button`).first().click();
  await page.getByRole("button", { name: /turn around/ }).click();
  await expect(page).toHaveURL(/not-/);
  const durations = (await noted()).interactions.toSorted((a, b) => b - a);
  console.log(`the slowest interactions: ${durations.slice(0, 5).join(", ") || "all under 16"} ms`);
});
