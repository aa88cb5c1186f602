import { useEffect } from "react";
import { preferences } from "./preferences";

type Handler = () => void;

/** The handlers of a key, the newest last. A key in a sequence is "g e". */
const handlers = new Map<string, Handler[]>();

/** How long after its first key a sequence may be finished. */
const SEQUENCE_MILLISECONDS = 1000;

let first: { key: string; at: number } | undefined;

function isEditable(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest?.("input, textarea, select, [contenteditable]");
}

function handle(event: KeyboardEvent) {
  if (event.defaultPrevented || event.isComposing) return;
  const hasModifier = event.ctrlKey || event.metaKey || event.altKey;
  if (hasModifier || !preferences.get().keys || isEditable(event.target)) return;
  // The page behind an open dialog does not take keys.
  const isInDialog = document.querySelector("dialog[open]") !== null;
  if (isInDialog && event.key !== "?") return;
  // A button or a link takes these itself.
  const isOnControl = (event.target as HTMLElement | null)?.closest?.("a, button, summary, [role=tab]");
  if (isOnControl && (event.key === "Enter" || event.key === " ")) return;
  const isSequence = first && event.timeStamp - first.at < SEQUENCE_MILLISECONDS;
  const sequence = isSequence ? `${first?.key} ${event.key}` : undefined;
  first = event.key === "g" ? { key: "g", at: event.timeStamp } : undefined;
  const found = (sequence && handlers.get(sequence)?.at(-1)) || (!isSequence && handlers.get(event.key)?.at(-1));
  if (!found) return;
  event.preventDefault();
  first = undefined;
  found();
}

addEventListener("keydown", handle);

/** Runs the handlers while the component is shown, unless the user has switched keys off. */
export function useKeys(keys: Record<string, Handler | undefined>) {
  useEffect(() => {
    const added: [string, Handler][] = [];
    for (const [key, handler] of Object.entries(keys)) {
      if (!handler) continue;
      handlers.set(key, [...(handlers.get(key) ?? []), handler]);
      added.push([key, handler]);
    }
    return () => {
      for (const [key, handler] of added) {
        handlers.set(
          key,
          (handlers.get(key) ?? []).filter((other) => other !== handler),
        );
      }
    };
  });
}
