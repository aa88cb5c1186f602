import { fromDate, startOfWeek, toCalendarDate } from "@internationalized/date";

export interface Weeks {
  thisWeek: string;
  lastWeek: string;
}

/** When this week and the one before began, on Monday, by the clocks of a zone. */
export function weeksAt(now: number, zone: string): Weeks {
  const monday = startOfWeek(toCalendarDate(fromDate(new Date(now), zone)), "en", "mon");
  return {
    thisWeek: monday.toDate(zone).toISOString(),
    lastWeek: monday.subtract({ weeks: 1 }).toDate(zone).toISOString(),
  };
}
