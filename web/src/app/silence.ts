import { fromAbsolute, toCalendarDate } from "@internationalized/date";

/** Which hours of silence a user may choose from; 0 means that silence is not told. */
export const silentHoursChoices = [4, 8, 24, 72, 0] as const;

/** Whether more than these hours of workdays lie between two times, by the calendar of a zone. */
function isLonger(from: number, to: number, hours: number, zone: string): boolean {
  let rest = hours * 3_600_000;
  let end = to;
  for (let day = toCalendarDate(fromAbsolute(to, zone)); rest >= 0 && end > from; day = day.subtract({ days: 1 })) {
    const begin = Math.max(day.toDate(zone).getTime(), from);
    const isWeekend = [0, 6].includes(day.toDate("UTC").getUTCDay());
    if (!isWeekend) rest -= end - begin;
    end = begin;
  }
  return rest < 0;
}

interface Vendor {
  configured: boolean;
  lastDeliveryAt: string | null;
}

/** Whether a vendor that is set up and has delivered before has been silent for more than these hours of workdays. */
export function isSilent(vendor: Vendor, hours: number, now: number, zone: string): boolean {
  const { configured, lastDeliveryAt } = vendor;
  if (!configured || lastDeliveryAt === null || hours === 0) return false;
  return isLonger(Date.parse(lastDeliveryAt), now, hours, zone);
}
