const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(undefined, zone ? { ...options, timeZone: zone } : options);
    formats.set(key, found);
  }
  return found;
}

const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const day: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };

export type Zone = "viewer" | "UTC";

function zoneName(zone: Zone): string | undefined {
  return zone === "UTC" ? "UTC" : undefined;
}

/** 14:03:12; of another day than `now` with the day: 2 Mar, 14:03. */
export function shortTime(at: Date, zone: Zone, now = new Date()): string {
  const name = zoneName(zone);
  const ofDay = format(name, { ...day, year: "numeric" });
  if (ofDay.format(at) === ofDay.format(now)) return format(name, clock).format(at);
  const isOfThisYear = at.getFullYear() === now.getFullYear();
  const date = format(name, isOfThisYear ? day : { ...day, year: "numeric" }).format(at);
  return `${date}, ${format(name, { hour: "2-digit", minute: "2-digit" }).format(at)}`;
}

/** 14:03, the time of the day. */
export function minute(at: Date, zone: Zone): string {
  return format(zoneName(zone), { hour: "2-digit", minute: "2-digit" }).format(at);
}

/** The whole time, with its zone. */
export function longTime(at: Date, zone: Zone): string {
  const options = { ...clock, ...day, year: "numeric", weekday: "short", timeZoneName: "short" } as const;
  return format(zoneName(zone), options).format(at);
}

/** 3 min 12 s; 2 h 5 min; 4 days. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** An exact amount, in its currency if that is known. The text never becomes a number of JavaScript. */
export function money(amount: string, currency: string | null | undefined): string {
  const text = amount as `${number}`;
  try {
    if (currency) return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(text);
  } catch {
    return `${amount} ${currency}`;
  }
  return new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(text);
}

/** 1 event, 12 events. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString()} ${noun}${count === 1 ? "" : "s"}`;
}
