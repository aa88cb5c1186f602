import { expect, proposal, test } from "./fixtures.ts";
import { Service } from "./service.ts";

test.describe("times", () => {
  test.use({ timezoneId: "America/New_York" });

  test("are in the office's zone, the browser's or UTC, and the page says which", async ({ page, owned }) => {
    const service = owned(await Service.start({ env: { BIDARC_SERVICE__TIME_ZONE: "Asia/Tokyo" } }));
    await service.deliver("bidsketch", "proposal_created", proposal(1));
    await page.goto(`${service.url}/events/1`);
    const received = page.getByTestId("details").locator("time").first();
    await expect(page.getByText("Times: Asia/Tokyo")).toBeVisible();
    await expect(received).toHaveAttribute("title", /GMT\+9$/);
    await page.locator("h1").click();
    await page.keyboard.press("t");
    await expect(page.getByText("Times: America/New_York")).toBeVisible();
    await expect(received).toHaveAttribute("title", /(EDT|EST)$/);
    await page.keyboard.press("t");
    await expect(received).toHaveAttribute("title", /UTC$/);
    await page.getByRole("link", { name: "Settings" }).click();
    await expect(page.getByLabel("Times")).toHaveValue("UTC");
    await page.getByLabel("Times").selectOption("The office's time zone (Asia/Tokyo)");
    await page.goto(`${service.url}/wall`);
    await expect(page.getByText("Asia/Tokyo")).toBeVisible();

    // A day of the filter is one of the office.
    const { events } = await service.query<{ events: { nodes: { receivedAt: string }[] } }>(
      "{ events(first: 1) { nodes { receivedAt } } }",
    );
    const at = new Date(events.nodes[0]?.receivedAt ?? "");
    const day = (offset: number) => new Date(at.getTime() + (9 + 24 * offset) * 3_600_000).toISOString().slice(0, 10);
    await page.goto(`${service.url}/events?from=${day(0)}&before=${day(1)}`);
    await expect(page.locator("tr[data-event]")).toHaveCount(1);
    await page.goto(`${service.url}/events?from=${day(1)}`);
    await expect(page.getByText("No event matches this filter")).toBeVisible();
    await page.goto(`${service.url}/events?before=${day(0)}`);
    await expect(page.getByText("No event matches this filter")).toBeVisible();
  });
});

test("what is accepted or paid sounds once it is switched on, by a click", async ({ page, service }) => {
  await page.addInitScript(() => {
    const started: number[] = [];
    Object.assign(window, { started });
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      started.push(this.frequency.value);
      start.call(this, when);
    };
  });
  const tones = () => page.evaluate(() => (window as unknown as { started: number[] }).started.splice(0));
  const painted = async (event: string) => {
    await page.goto(`${service.url}/`);
    await page.locator(`tr[data-event="${event}"]`).waitFor();
  };
  await service.deliver("bidsketch", "proposal_created", proposal(1));
  await painted("event:1");
  await service.deliver("bidsketch", "proposal_accepted", proposal(1, { status: "Accepted" }));
  await page.locator('tr[data-event="event:2"]').waitFor();
  expect(await tones()).toEqual([]);

  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("A short tone when a proposal is accepted or paid").check();
  await expect.poll(tones).toEqual([659, 880]);
  await page.getByRole("link", { name: "Live", exact: true }).click();
  await service.deliver("bidsketch", "proposal_created", proposal(2));
  await service.deliver("bidsketch", "proposal_accepted", proposal(2, { status: "Accepted" }));
  await expect.poll(tones).toEqual([659, 880]);
  await page.locator('tr[data-event="event:4"]').waitFor();

  // A page that is loaded again may not sound by itself.
  await page.reload();
  await page.getByRole("button", { name: "Sound waits for a click" }).click();
  await expect(page.getByRole("button", { name: "Sound waits for a click" })).toHaveCount(0);
  await service.deliver("arcsite", "proposal.payment.received", {
    proposal_id: 7,
    drawing_id: 8,
    paid_amount: "10.00",
    pay_channel: "mark_as_paid",
    paid_date: "2026-03-02",
    payment_method: "Check",
  });
  await expect.poll(tones).toEqual([988, 784]);
});
