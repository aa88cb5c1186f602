export interface Weeks {
  thisWeek: string;
  lastWeek: string;
}

/** When this week and the one before began, on Monday, by the clock of the viewer. */
export function weeksAt(now: Date): Weeks {
  const monday = (weeksAgo: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() - ((now.getDay() + 6) % 7) - 7 * weeksAgo).toISOString();
  return { thisWeek: monday(0), lastWeek: monday(1) };
}

export interface Steps {
  created: number;
  sent: number;
  /** Null where the vendor does not say whether a proposal was viewed. */
  viewed: number | null;
  accepted: number;
}

/** The sums over all vendors. */
export function sumOf(buckets: readonly Steps[]): { created: number; sent: number; viewed: number; accepted: number } {
  const sum = { created: 0, sent: 0, viewed: 0, accepted: 0 };
  for (const { created, sent, viewed, accepted } of buckets) {
    sum.created += created;
    sum.sent += sent;
    sum.viewed += viewed ?? 0;
    sum.accepted += accepted;
  }
  return sum;
}
