// Measures what docs/DASHBOARD.md promises, as a report: npm run measure. EVENTS is the number of events on the wall.
import { test } from "@playwright/test";
import { Service } from "./service.ts";

const quantile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0;

test("hook answered to row painted; long tasks; heap of the wall", async ({ page }) => {
  test.setTimeout(900_000);
  const service = await Service.start();

  await page.addInitScript(() => {
    const painted: Record<string, number> = {};
    const longTasks: number[] = [];
    Object.assign(window, { painted, longTasks });
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: "longtask",
    });
    addEventListener("DOMContentLoaded", () => {
      new MutationObserver((records) => {
        const rows = records.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node instanceof HTMLElement);
        const ids = rows.map((row) => row.dataset.event).filter((id) => id !== undefined);
        // The frame after this one has them on the screen.
        requestAnimationFrame(() =>
          setTimeout(() => Object.assign(painted, Object.fromEntries(ids.map((id) => [id, Date.now()])))),
        );
      }).observe(document.body, { childList: true, subtree: true });
    });
  });
  await page.goto(service.url);
  await page.locator('[data-state="live"]').first().waitFor();
  const answered: Record<string, number> = {};
  for (let id = 1; id <= 60; id += 1) {
    const event = await service.deliver("bidsketch", "client_created", { id, name: `Client ${id}` });
    answered[event] = Date.now();
    // Two a second.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const painted = await page.evaluate(() => (window as unknown as { painted: Record<string, number> }).painted);
  const waits = Object.entries(answered).map(([id, at]) => (painted[id] ?? Number.POSITIVE_INFINITY) - at);
  console.log(
    `hook answered to row painted, 2 a second: median ${quantile(waits, 0.5)} ms, p95 ${quantile(waits, 0.95)} ms`,
  );

  await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks.splice(0));
  await service.simulate("--count", "1000", "--rate", "50");
  const long = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
  console.log(`50 a second for 20 s: ${long.length} long tasks, ${long.map(Math.round).join(" ")} ms`);

  await page.goto(`${service.url}/wall`);
  await page.locator('[data-state="live"]').first().waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  const heap = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    const { nodes } = await session.send("Memory.getDOMCounters");
    return { megabytes: usedSize / 1e6, nodes };
  };
  await service.simulate("--count", "500", "--rate", "500");
  const before = await heap();
  const count = process.env.EVENTS ?? "10000";
  await service.simulate("--count", count, "--rate", "5000", "--workers", "16");
  const { headCursor } = await service.query<{ headCursor: string }>("{ headCursor }");
  await page.locator('[data-state="live"]').first().waitFor();
  const after = await heap();
  console.log(
    `${count} events on the wall (to ${headCursor}): heap ${before.megabytes.toFixed(1)} to ${after.megabytes.toFixed(1)} MB, ` +
      `${before.nodes} to ${after.nodes} DOM nodes`,
  );
  await service.end();
});
