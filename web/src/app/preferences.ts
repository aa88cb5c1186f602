import { useSyncExternalStore } from "react";
import { browserZone, isZone } from "../ui/zone";

export interface Preferences {
  theme: "system" | "light" | "dark";
  /** Which time zone times are shown in. */
  times: "office" | "browser" | "UTC";
  /** The office's time zone, as the service has last named it. */
  officeZone?: string;
  /** Whether keys without Ctrl do something. */
  keys: boolean;
  /** Whether a proposal that is accepted or paid sounds. */
  sound: boolean;
  /** After how many hours of workdays without a delivery a vendor is called silent; 0 means never. */
  silentHours: number;
}

const key = "bidarc.preferences";
const defaults: Preferences = { theme: "system", times: "office", keys: true, sound: false, silentHours: 24 };
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
    try {
      localStorage.setItem(key, JSON.stringify(current));
    } catch {
      // The browser stores nothing for this page: the choice holds until a reload.
    }
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

const times = ["office", "browser", "UTC"] as const;

/** The IANA name of the time zone that times are shown in. Until the service has named the office's, it is the browser's. */
function zoneOf({ times: choice, officeZone }: Preferences): string {
  if (choice === "UTC") return "UTC";
  return choice === "office" && officeZone !== undefined ? officeZone : browserZone;
}

export function useZone(): string {
  return zoneOf(usePreferences());
}

/** Shows times in the next zone that differs from this one, if there is one. */
export function nextZone() {
  const at = times.indexOf(current.times);
  const others = [1, 2].map((step) => times[(at + step) % times.length] ?? "office");
  const next = others.find((choice) => zoneOf({ ...current, times: choice }) !== zoneOf(current));
  if (next) preferences.set({ times: next });
}

/** Takes the office's time zone from the service. A zone that this browser does not know changes nothing. */
export function setOfficeZone(officeZone: string) {
  if (officeZone !== current.officeZone && isZone(officeZone)) preferences.set({ officeZone });
}
