import { expect, jump, proposal, state, test } from "./fixtures.ts";

test("the wall rotates by the clock, keeps its view over a reload, and holds what was accepted", async ({
  page,
  service,
}) => {
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  // An even half minute: the first view.
  await page.clock.install({ time: new Date("2026-03-02T14:00:02Z") });
  await page.goto(`${service.url}/wall?show=live,pipeline&every=30`);
  await state(page, "live").waitFor();
  const rows = page.getByRole("list", { name: "The last events" });
  // A busy machine may answer too late for a jump of the clock: the line that says so has no time of day.
  const events = rows.getByRole("listitem").filter({ has: page.locator("time") });
  const pipeline = page.getByRole("table", { name: "Proposals by status" });
  await expect(events).toHaveText([/Proposal created/]);
  await page.clock.fastForward(30_000);
  await expect(pipeline.getByRole("row")).toHaveText([/Pending1\$7,385.00/]);
  await expect(rows).toHaveCount(0);
  await page.reload();
  await expect(pipeline).toBeVisible();
  await state(page, "live").waitFor();

  await service.deliver("bidsketch", "proposal_accepted", proposal(1, { status: "Accepted" }));
  await expect(page.getByRole("list", { name: "Just accepted" }).getByRole("listitem")).toHaveText([/accepted/]);
  await expect(pipeline.getByRole("row")).toHaveText([/Accepted1/]);
  await page.clock.fastForward(30_000);
  // Later events do not push it down.
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await expect(events).toHaveText([/accepted/, /created/, /created/]);
  await page.clock.fastForward(60_000);
  await expect(events).toHaveText([/created/, /accepted/, /created/]);
});

test("the wall holds an acceptance of ArcSite once, by the status or by the approval", async ({ page, service }) => {
  await page.goto(`${service.url}/wall`);
  await state(page, "live").waitFor();
  const of = (status: string) => ({ proposal_id: 3, project_id: 1, status });
  await service.deliver("arcsite", "proposal.status_changed", of("PENDING"));
  await service.deliver("arcsite", "proposal.status_changed", of("APPROVED"));
  await service.deliver("arcsite", "proposal.approved", of("APPROVED"));
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  const events = page.getByRole("listitem");
  await expect(events).toHaveText([/Accepted/, /created/, /approved/, /Pending/]);
  expect(await events.evaluateAll((all) => all.map((event) => event.hasAttribute("data-accepted")))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test("the wall shows what happened in whole words on every screen", async ({ page, service }) => {
  await page.goto(`${service.url}/wall`);
  await state(page, "live").waitFor();
  await service.deliver("bidsketch", "proposal_accepted", proposal(1, { status: "Accepted" }));
  await service.deliver("arcsite", "proposal.approved", { proposal_id: 3, project_id: 1, status: "APPROVED" });
  await expect(page.getByRole("listitem")).toHaveCount(2);
  const what = page.getByRole("listitem").locator("> :nth-child(2)");
  for (const [width, height] of [
    [1280, 720],
    [1366, 768],
    [1920, 1080],
    [3840, 2160],
  ] as const) {
    await page.setViewportSize({ width, height });
    const areCut = () =>
      what.evaluateAll((labels) => labels.map(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth));
    await expect.poll(areCut, `${width}`).toEqual([false, false]);
  }
});

test("the wall keeps the screen on, and lets it go when it is left", async ({ page, service }) => {
  await page.addInitScript(() => {
    const log: string[] = [];
    Object.assign(window, { log });
    const release = async () => log.push("released");
    Object.defineProperty(navigator, "wakeLock", {
      value: {
        request: async (what: string) => {
          log.push(what);
          return { release };
        },
      },
    });
  });
  const log = () => page.evaluate(() => (window as unknown as { log: string[] }).log.join(" "));
  await page.goto(`${service.url}/wall`);
  await state(page, "live").waitFor();
  await expect.poll(log).toMatch(/^screen/);
  const held = await log();
  await jump(page, "l", `${service.url}/`);
  await expect.poll(log).toBe(`${held} released`);
});
