// Eight months of an office's proposals, of which the pictures are made.
import type { Service } from "./service.ts";

const HOUR = 3600_000;
const DAY = 24 * HOUR;
const jobs = ["Cedar deck", "Pool fence", "Retaining wall", "Driveway pavers", "Crawl space", "Irrigation"];
const clients = ["Quarry Lane Dental", "Ridgebeam", "Eric Evergate", "Fatima Fencely", "Harbor Street School"];

/** Numbers from 0 to 1 that are the same each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

interface Hook {
  at: number;
  event: string;
  data: object;
}

/** What became of one proposal: created, sent, viewed, decided, as far as it came. */
function hooksOf(id: number, now: number, next: () => number): Hook[] {
  const hooks: Hook[] = [];
  const client = clients[id % clients.length];
  // More of them of late.
  const created = now - (0.3 + 240 * next() ** 1.6) * DAY;
  const total = (900 + next() * 38_000).toFixed(2);
  let at = created;
  const add = (event: string, status: string, after: number) => {
    at += after;
    const data = {
      id: 1000 + id,
      name: `${jobs[id % jobs.length]} for ${client}`,
      status,
      total,
      currency: "USD",
      client: { id: 900 + (id % clients.length), name: client },
      created_at: new Date(created).toISOString(),
      updated_at: new Date(at).toISOString(),
    };
    hooks.push({ at, event, data });
  };
  add("proposal_created", "Pending", 0);
  if (next() > 0.9) return hooks;
  add("proposal_sent", "Pending", (0.05 + next()) * DAY);
  if (next() > 0.85) return hooks;
  // Clients look in the morning and after work.
  const day = new Date(at + DAY * Math.ceil(3 * next() ** 2));
  const viewed = day.setHours(next() < 0.4 ? 9 : 17 + Math.round(3 * next()), 60 * next());
  add("proposal_viewed", "Viewed", Math.max(viewed - at, HOUR));
  if (next() < 0.3) add("proposal_viewed", "Viewed", (10 + 20 * next()) * HOUR);
  if (next() < 0.7) add("proposal_accepted", "Accepted", (0.5 + 9 * next() ** 2) * DAY);
  else if (next() < 0.5) add("proposal_declined", "Declined", 12 * DAY * next());
  return hooks;
}

/** Posts what Bidsketch would have sent for `count` proposals until now. Some wait for their client. */
export async function postHistory(service: Service, count: number) {
  const next = numbers(7);
  const now = Date.now();
  const hooks = Array.from({ length: count }, (_, id) => hooksOf(id, now, next)).flat();
  const past = hooks.filter(({ at }) => at < now).sort((one, other) => one.at - other.at);
  for (const { event, data } of past) await service.deliver("bidsketch", event, data);
}
