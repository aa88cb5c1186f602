// The time of day for all that is shown. A machine that sleeps stops the timers of its pages, so the page looks at the
// clock often.
import { useSyncExternalStore } from "react";
import { todayIn } from "./zone";

const LOOK_MILLISECONDS = 30_000;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function look() {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  if (listeners.size === 0) {
    timer = setInterval(look, LOOK_MILLISECONDS);
    document.addEventListener("visibilitychange", look);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}

type Day = ReturnType<typeof todayIn>;

/** The last day that was asked for, by its zone: every time that is shown asks. */
const days = new Map<string, Day>();

function dayIn(zone: string): Day {
  const now = Date.now();
  const known = days.get(zone);
  if (known && known.start.getTime() <= now && now < known.end.getTime()) return known;
  const day = todayIn(zone);
  days.set(zone, day);
  return day;
}

/** Today by the clocks of a zone. It changes within half a minute of midnight, and when the page is looked at again. */
export function useDay(zone: string): Day {
  return useSyncExternalStore(subscribe, () => dayIn(zone));
}

/** When this period of the clock began, such as this quarter of an hour. */
export function usePeriod(milliseconds: number): number {
  return useSyncExternalStore(subscribe, () => {
    const now = Date.now();
    return now - (now % milliseconds);
  });
}

/** When this quarter of an hour began. Midnight is the begin of a quarter in every time zone. */
export const useQuarter = () => usePeriod(15 * 60_000);
