// Measures what docs/DASHBOARD.md promises, as a report: npm run measure, or one of them with -g. Nothing else may run beside it.
// SECONDS is how long 50 events a second come, EVENTS the number of events on the wall, PROGRAMS the directory of a release build.
import { test } from "@playwright/test";
import { Service } from "./service.ts";

const SECONDS = Number(process.env.SECONDS ?? 60);
const EVENTS = Number(process.env.EVENTS ?? 50_000);

const quantile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0;

test.describe.configure({ mode: "serial" });

test("hook answered to row painted", async ({ page }) => {
  test.setTimeout(120_000);
  const service = await Service.start();
  await page.addInitScript(() => {
    const painted: Record<string, number> = {};
    Object.assign(window, { painted });
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
  await service.end();
});

/** What a frame of more than 50 ms did. */
interface LongFrame {
  milliseconds: number;
  layout: number;
  scripts: string[];
}

test("long tasks", async ({ page }) => {
  test.setTimeout((SECONDS + 60) * 1000);
  const service = await Service.start();
  await page.addInitScript(() => {
    const long = { tasks: [] as number[], frames: [] as LongFrame[] };
    Object.assign(window, { long });
    new PerformanceObserver((list) => {
      long.tasks.push(...list.getEntries().map(({ duration }) => Math.round(duration)));
    }).observe({ type: "longtask" });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        styleAndLayoutStart: number;
        scripts: { invoker: string; duration: number; forcedStyleAndLayoutDuration: number }[];
      })[]) {
        const end = entry.startTime + entry.duration;
        long.frames.push({
          milliseconds: Math.round(entry.duration),
          layout: entry.styleAndLayoutStart > 0 ? Math.round(end - entry.styleAndLayoutStart) : 0,
          scripts: entry.scripts.map(
            ({ invoker, duration, forcedStyleAndLayoutDuration: forced }) =>
              `${invoker} ${Math.round(duration)} ms${forced > 1 ? ` (layout ${Math.round(forced)})` : ""}`,
          ),
        });
      }
    }).observe({ type: "long-animation-frame" });
  });
  await page.goto(service.url);
  await page.locator('[data-state="live"]').first().waitFor();
  const taken = () =>
    page.evaluate(() => {
      const { long } = window as unknown as { long: { tasks: number[]; frames: LongFrame[] } };
      return { tasks: long.tasks.splice(0), frames: long.frames.splice(0) };
    });
  const session = await page.context().newCDPSession(page);
  // Its own time on a processor: what else runs does not count.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const of = (name: string) => (metrics.find((metric) => metric.name === name)?.value ?? 0) * 1000;
    return [of("TaskDuration"), of("ScriptDuration"), of("RecalcStyleDuration"), of("LayoutDuration")];
  };
  await taken();
  const before = await spent();
  await service.simulate("--count", String(SECONDS * 50), "--rate", "50");
  const after = await spent();
  const { tasks, frames } = await taken();
  const [all, script, style, layout] = after.map((value, index) =>
    Math.round((value - (before[index] ?? 0)) / SECONDS),
  );
  console.log(`main thread: ${all} ms a second, script ${script}, style ${style}, layout ${layout}`);
  console.log(`50 a second for ${SECONDS} s: ${tasks.length} long tasks, ${tasks.join(" ")} ms`);
  for (const { milliseconds, layout, scripts } of frames) {
    console.log(`  frame of ${milliseconds} ms, style, layout and paint ${layout}: ${scripts.join("; ")}`);
  }
  await service.end();
});

test("heap of the wall", async ({ page }) => {
  // A debug build takes a few hundred events a second.
  test.setTimeout(60_000 + EVENTS * 15);
  const service = await Service.start();
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
  /** The wall has the newest event of the log. */
  const caughtUp = async () => {
    await page.locator('[data-state="live"]').first().waitFor();
    const { events } = await service.query<{ events: { nodes: { receivedAt: string }[] } }>(
      "{ events(first: 1) { nodes { receivedAt } } }",
    );
    const newest = new Date(events.nodes[0]?.receivedAt ?? 0).toISOString();
    await page.locator(`li time[datetime="${newest}"]`).first().waitFor();
  };
  await service.simulate("--count", "500", "--rate", "500");
  await caughtUp();
  const before = await heap();
  const begin = Date.now();
  await service.simulate("--count", String(EVENTS), "--rate", "20000", "--workers", "64");
  const seconds = (Date.now() - begin) / 1000;
  await caughtUp();
  const after = await heap();
  console.log(
    `${EVENTS} events on the wall in ${seconds.toFixed(0)} s: heap ${before.megabytes.toFixed(1)} to ` +
      `${after.megabytes.toFixed(1)} MB, ${before.nodes} to ${after.nodes} DOM nodes`,
  );
  await service.end();
});
