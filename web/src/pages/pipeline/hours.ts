// The hours of the week, Monday first.

export interface HourCount {
  weekday: number;
  hour: number;
  count: number;
}

const weekdays = [1, 2, 3, 4, 5, 6, 7];
const hours = Array.from({ length: 24 }, (_, hour) => hour);

/** The counts of each hour of the day, each with those of the seven days. */
export function gridOf(counts: readonly HourCount[]): readonly (readonly HourCount[])[] {
  const found = new Map(counts.map(({ weekday, hour, count }) => [`${weekday} ${hour}`, count]));
  return hours.map((hour) =>
    weekdays.map((weekday) => ({ weekday, hour, count: found.get(`${weekday} ${hour}`) ?? 0 })),
  );
}

/** 2024 began on a Monday. */
const dayOf = (weekday: number) => new Date(Date.UTC(2024, 0, weekday));

/** Mon, or Monday. */
export function weekdayName(weekday: number, width: "short" | "long"): string {
  return new Intl.DateTimeFormat(undefined, { weekday: width, timeZone: "UTC" }).format(dayOf(weekday));
}

/** 3 PM, or 15. */
export function hourName(hour: number): string {
  return new Intl.DateTimeFormat(undefined, { hour: "numeric", timeZone: "UTC" }).format(
    new Date(Date.UTC(2024, 0, 1, hour)),
  );
}

/** The hour with most views. None without a view. */
export function busiest(counts: readonly HourCount[]): HourCount | undefined {
  return counts.reduce<HourCount | undefined>(
    (most, next) => (most && most.count >= next.count ? most : next),
    undefined,
  );
}
