/** How long after a reload another may follow for the same pages. */
export const RELOAD_AGAIN_MS = 10 * 60_000;

/** The pages that a tab was reloaded for, by the name of their main script, and when. */
export type Reloads = Record<string, number>;

/**
 * The reloads with one more, for these pages; undefined if there was one for them a short time ago. While a balancer has
 * two versions behind it, each reload may bring the other one.
 */
export function withReload(reloads: Reloads, pages: string, now: number): Reloads | undefined {
  const isRecent = (at: number | undefined) => at !== undefined && Math.abs(now - at) < RELOAD_AGAIN_MS;
  if (isRecent(reloads[pages])) return undefined;
  return { ...Object.fromEntries(Object.entries(reloads).filter(([, at]) => isRecent(at))), [pages]: now };
}
