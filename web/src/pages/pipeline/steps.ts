// The numbers behind the funnel: how far the proposals of a time came.
import { fromDate, toCalendarDate } from "@internationalized/date";

export interface Steps {
  created: number;
  sent: number;
  /** Null where the vendor does not say whether a proposal was viewed. */
  viewed: number | null;
  accepted: number;
}

export type Sums = Record<keyof Steps, number>;

/** The steps in their order, in words. */
export const stepNames = { created: "Created", sent: "Sent", viewed: "Viewed", accepted: "Accepted" } as const;

export const steps = Object.keys(stepNames) as (keyof Steps)[];

/** The sums over all vendors. */
export function sumOf(buckets: readonly Steps[]): Sums {
  const sum = { created: 0, sent: 0, viewed: 0, accepted: 0 };
  for (const bucket of buckets) for (const step of steps) sum[step] += bucket[step] ?? 0;
  return sum;
}

export type BucketLength = "MONTH" | "WEEK";

export interface Point extends Sums {
  start: Date;
}

/** How many points the line has at most: two years of months, half a year of weeks. */
const POINTS_MAX = { MONTH: 24, WEEK: 26 };

/** The sums over all vendors, bucket by bucket up to the last one. A bucket without a proposal has zeros. */
export function pointsOf(
  buckets: readonly (Steps & { start: string })[],
  length: BucketLength,
  zone: string,
): readonly Point[] {
  const day = (start: string) => toCalendarDate(fromDate(new Date(start), zone));
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (!first || !last) return [];
  const points: Point[] = [];
  let current = day(last.start);
  while (points.length < POINTS_MAX[length] && current.compare(day(first.start)) >= 0) {
    const ofBucket = buckets.filter(({ start }) => day(start).compare(current) === 0);
    points.unshift({ start: current.toDate(zone), ...sumOf(ofBucket) });
    current = current.subtract(length === "MONTH" ? { months: 1 } : { weeks: 1 });
  }
  return points;
}
