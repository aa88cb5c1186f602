import { parseDate, today } from "@internationalized/date";

/** The browser's own time zone as an IANA name. */
export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Whether this browser knows a time zone. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** When a day, such as 2026-03-02, begins by the clocks of a zone. */
export function startOfDay(day: string, zone: string): Date {
  return parseDate(day).toDate(zone);
}

/** When today and tomorrow begin by the clocks of a zone. */
export function todayIn(zone: string): { start: Date; end: Date } {
  const day = today(zone);
  return { start: day.toDate(zone), end: day.add({ days: 1 }).toDate(zone) };
}
