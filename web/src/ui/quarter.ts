import { useEffect, useState } from "react";

const QUARTER_MILLISECONDS = 15 * 60_000;

const quarterOf = (time: number) => time - (time % QUARTER_MILLISECONDS);

/** When this quarter of an hour began. Midnight is the begin of a quarter in every time zone. */
export function useQuarter(): number {
  const [quarter, setQuarter] = useState(() => quarterOf(Date.now()));
  useEffect(() => {
    const next = quarter + QUARTER_MILLISECONDS - Date.now();
    const timer = setTimeout(() => setQuarter(quarterOf(Date.now())), Math.max(next, 1000));
    return () => clearTimeout(timer);
  }, [quarter]);
  return quarter;
}
