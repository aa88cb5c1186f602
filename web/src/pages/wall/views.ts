const views = ["live", "pipeline"] as const;
export type View = (typeof views)[number];

const SECONDS = { least: 3, most: 3600, usual: 30 };

/** What the wall shows in turn, and each for how long, from its URL: `?show=live,pipeline&every=30`. */
export function parseRotation(parameters: URLSearchParams): { shown: readonly View[]; seconds: number } {
  const names = (parameters.get("show") ?? "").split(",");
  const shown = views.filter((view) => names.includes(view));
  const every = Number(parameters.get("every") || SECONDS.usual);
  const seconds = Number.isFinite(every)
    ? Math.min(Math.max(Math.round(every), SECONDS.least), SECONDS.most)
    : SECONDS.usual;
  return { shown: shown.length > 0 ? shown : ["live"], seconds };
}

/** The view of a moment. It follows from the clock, so a reload keeps it, and two walls change together. */
export function viewAt(now: number, shown: readonly View[], seconds: number): View {
  return shown[Math.floor(now / (seconds * 1000)) % shown.length] ?? "live";
}
