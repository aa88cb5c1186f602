const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone });
    formats.set(key, found);
  }
  return found;
}

const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const day: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };

/** 14:03:12; of another day than `now` with the day: 2 Mar, 14:03. A zone is an IANA name. */
export function shortTime(at: Date, zone: string, now = new Date()): string {
  const ofDay = format(zone, { ...day, year: "numeric" });
  if (ofDay.format(at) === ofDay.format(now)) return format(zone, clock).format(at);
  const year = format(zone, { year: "numeric" });
  const isOfThisYear = year.format(at) === year.format(now);
  const date = format(zone, isOfThisYear ? day : { ...day, year: "numeric" }).format(at);
  return `${date}, ${minute(at, zone)}`;
}

/** 14:03, the time of the day. */
export function minute(at: Date, zone: string): string {
  return format(zone, { hour: "2-digit", minute: "2-digit" }).format(at);
}

/** The whole time, with its zone. */
export function longTime(at: Date, zone: string): string {
  const options = { ...clock, ...day, year: "numeric", weekday: "short", timeZoneName: "short" } as const;
  return format(zone, options).format(at);
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
