// Cuts, silences and sleep: rows and lines together are the log.
import type { Page } from "@playwright/test";
import { Cable } from "./cable.ts";
import { comeBack, expect, hurry, proposal, rows, state, test } from "./fixtures.ts";
import type { Service } from "./service.ts";

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function random(seed: number): () => number {
  let at = seed;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The ids of the whole log, oldest first. */
async function log(service: Service): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const { eventFeed }: { eventFeed: { cursor: string; caughtUp: boolean; events: { id: string }[] } } =
      await service.query(
        "query ($after: String) { eventFeed(after: $after, pageSize: 500) { cursor caughtUp events { id } } }",
        { after },
      );
    ids.push(...eventFeed.events.map(({ id }) => id));
    if (eventFeed.caughtUp) return ids;
    after = eventFeed.cursor;
  }
}

interface Painted {
  /** Rows and lines in the order of the log, each as often as it was put into the list: "event:42", or a line's number. */
  shown: (string | number)[];
  /** How many events each line has counted in the end. */
  counts: number[];
}

/** Notes every row and every line that is ever shown. */
async function notePainted(page: Page) {
  await page.addInitScript(() => {
    const shown: (string | number)[] = [];
    const counts: number[] = [];
    const lines: HTMLElement[] = [];
    Object.assign(window, { painted: { shown, counts } });
    const selector = "tr[data-event], tr[data-gap]";
    addEventListener("DOMContentLoaded", () =>
      new MutationObserver((records) => {
        const added = records
          .flatMap(({ addedNodes }) => [...addedNodes])
          .filter((node) => node instanceof HTMLElement)
          .flatMap((node) => (node.matches(selector) ? [node] : [...node.querySelectorAll<HTMLElement>(selector)]));
        // The list has the newest first.
        added.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? 1 : -1));
        for (const row of added) shown.push(row.dataset.event ?? lines.push(row) - 1);
        for (const [index, line] of lines.entries()) if (line.isConnected) counts[index] = Number(line.dataset.gap);
      }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-gap"] }),
    );
  });
}

test("the cable is cut at random for a minute: rows and lines together are the log, nothing twice", async ({
  page,
  service,
  owned,
}) => {
  test.setTimeout(240_000);
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`SEED=${seed} cuts the cable alike`);
  const next = random(seed);
  const pause = (least: number, most: number) =>
    new Promise((resolve) => setTimeout(resolve, least + next() * (most - least)));
  const cable = owned(await Cable.to(service.port));
  await notePainted(page);
  await page.goto(cable.url);
  await state(page, "live").waitFor();
  let running = true;
  const simulator = service.simulate("--count", "1200", "--rate", "20").finally(() => {
    running = false;
  });
  let cuts = 0;
  let patience = 0;
  while (running) {
    await pause(50, 3000);
    cable.cut();
    cuts += 1;
    await pause(0, 1500);
    cable.mend();
    // Half of the times the page comes back by itself, but not three times in a row: what arrives meanwhile would be more
    // than the list keeps. A cut may also come before it is back.
    patience = next() < 0.5 || patience === 2 ? 0 : patience + 1;
    if (patience === 0) await hurry(page);
  }
  await simulator;
  cable.mend();
  await comeBack(page);
  const ids = await log(service);
  const painted = () => page.evaluate(() => (window as unknown as { painted: Painted }).painted);
  await expect.poll(async () => (await painted()).shown.at(-1)).toBe(ids.at(-1));
  const { shown, counts } = await painted();
  // In the log's order, each once, none missing.
  expect(shown.filter((row) => typeof row === "string")).toEqual(ids);
  const missed = counts.reduce((sum, count) => sum + count, 0);
  console.log(`${ids.length} events, ${cuts} cuts, ${counts.length} lines for ${missed} of the events`);
  expect(counts.length).toBeGreaterThan(5);
  expect(counts.length).toBeLessThanOrEqual(cuts);
  // What a line counts stands above it, before the next line.
  for (const [line, count] of counts.entries()) {
    const above = shown.slice(shown.indexOf(line) + 1);
    const next = above.findIndex((row) => typeof row === "number");
    expect(next < 0 ? above.length : next, `line ${line}`).toBeGreaterThanOrEqual(count);
  }
  await expect(page.locator('tr[data-complete="false"]')).toHaveCount(0);
});

test("a laptop that slept for an hour finds its connection dead, and the line has the hour", async ({
  page,
  service,
  owned,
}) => {
  const cable = owned(await Cable.to(service.port));
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await page.clock.install();
  await page.goto(cable.url);
  await state(page, "live").waitFor();
  cable.hang();
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await service.deliver("bidsketch", "proposal_created", proposal(3));
  // Every timer stood still, and each fires once.
  await page.clock.fastForward(3_600_000);
  await expect.poll(() => rows(page)).toEqual(["event:3", "event:2", "gap 2", "event:1"]);
  await expect(page.locator("tr[data-gap]")).toContainText(/Away 1 h.*, 2 events, all here · caught up/);
  await state(page, "live").waitFor();
});
