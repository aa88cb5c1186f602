import { useSyncExternalStore } from "react";
import { serviceUrl } from "../base";
import { forgetFeeds, renewFeeds } from "../live/feeds";
import { renewApi } from "./api";

// A key becomes a cookie that scripts cannot read. What is here is only whether one is needed.
let state = { isSignedOut: false };
const listeners = new Set<() => void>();

function set(change: Partial<typeof state>) {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Shows the sign-in over the page. */
export function requireSignIn() {
  if (!state.isSignedOut) set({ isSignedOut: true });
}

export function useSession() {
  return useSyncExternalStore(subscribe, () => state);
}

/** Exchanges a key for a session. Returns why it was refused. */
export async function signIn(token: string): Promise<string | undefined> {
  let response: Response;
  try {
    response = await fetch(serviceUrl("session"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
      credentials: "same-origin",
    });
  } catch {
    return "The service cannot be reached right now. Try again.";
  }
  if (response.ok) {
    renewApi();
    set({ isSignedOut: false });
    renewFeeds();
    return undefined;
  }
  if (response.status === 401 || response.status === 403) return "This key is wrong, or it was revoked.";
  if (response.status === 429) return "Too many wrong keys came from here. Wait a minute and try again.";
  return `The service answered ${response.status}. Try again.`;
}

/** Ends the session, and forgets what this tab keeps for a reload. Returns why the session goes on. */
export async function signOut(): Promise<string | undefined> {
  let response: Response;
  try {
    response = await fetch(serviceUrl("session"), { method: "DELETE", credentials: "same-origin" });
  } catch {
    return "You are still signed in: the service cannot be reached. Try again.";
  }
  if (!response.ok) return `You are still signed in: the service answered ${response.status}. Try again.`;
  forgetFeeds();
  location.assign(serviceUrl("sign-in"));
  return undefined;
}
