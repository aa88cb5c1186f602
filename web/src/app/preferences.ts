import { useSyncExternalStore } from "react";

export interface Preferences {
  theme: "system" | "light" | "dark";
  /** Which time zone times are shown in: the viewer's, or UTC. */
  zone: "viewer" | "UTC";
  /** Whether keys without Ctrl do something. */
  keys: boolean;
}

const key = "bidarc.preferences";
const defaults: Preferences = { theme: "system", zone: "viewer", keys: true };
const listeners = new Set<() => void>();
let current = read();

function read(): Preferences {
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Preferences>) };
  } catch {
    return defaults;
  }
}

export const preferences = {
  get: () => current,
  set(change: Partial<Preferences>) {
    current = { ...current, ...change };
    localStorage.setItem(key, JSON.stringify(current));
    for (const listener of listeners) listener();
  },
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
};

// Another tab changed them.
addEventListener("storage", (event) => {
  if (event.key !== key) return;
  current = read();
  for (const listener of listeners) listener();
});

export function usePreferences(): Preferences {
  return useSyncExternalStore(preferences.subscribe, preferences.get);
}

const themes = ["system", "light", "dark"] as const;

export function nextTheme() {
  const { theme } = current;
  preferences.set({ theme: themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system" });
}

export function nextZone() {
  preferences.set({ zone: current.zone === "UTC" ? "viewer" : "UTC" });
}
