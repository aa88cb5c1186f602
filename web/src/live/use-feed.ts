import {
  createContext,
  useContext,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useState,
  useSyncExternalStore,
} from "react";
import type { EventFilter } from "../gql/graphql";
import type { Phase, Snapshot } from "./feed";
import { acquireFeed, type EventFeed, type EventRow } from "./feeds";

/** The feed of a filter, for as long as the component is shown. */
export function useFeed(filter: EventFilter | null): EventFeed | undefined {
  const key = JSON.stringify(filter);
  const [held, setHeld] = useState<{ key: string; feed: EventFeed }>();
  // Queries are sent in effects, so the feed is asked for before them: what their answers do not have yet, it delivers.
  useLayoutEffect(() => {
    const [feed, release] = acquireFeed(JSON.parse(key) as EventFilter | null);
    setHeld({ key, feed });
    return release;
  }, [key]);
  return held?.key === key ? held.feed : undefined;
}

const idle: Snapshot<EventRow> = {
  phase: "connecting",
  items: [],
  held: { count: 0, accepted: 0 },
  pausedAt: undefined,
  lostAt: undefined,
  isLoadFailure: false,
  reason: undefined,
  retryAt: undefined,
  refusal: undefined,
  caught: 0,
  lastEventAt: undefined,
  beginsNow: false,
  lastGap: undefined,
};

const never = () => () => {};

export function useSnapshot(feed: EventFeed | undefined): Snapshot<EventRow> {
  return useSyncExternalStore(feed?.subscribe ?? never, feed?.snapshot ?? (() => idle));
}

/** The phase alone: the component is not rendered for each event. */
export function usePhase(feed: EventFeed | undefined): Phase {
  return useSyncExternalStore(feed?.subscribe ?? never, () => feed?.snapshot().phase ?? "connecting");
}

/** The feed of all events, which the whole page shares: its state line, and what is fetched again when something happens. */
export const PulseContext = createContext<EventFeed | undefined>(undefined);

export function usePulse(): EventFeed | undefined {
  return useContext(PulseContext);
}

/** How often a page that shows the current state fetches it again while events arrive. */
const REFETCH_MILLISECONDS = 2000;

/** Runs `refetch` after events that `concerns` accepts: at once, then at most every two seconds. */
export function useRefetchOn(concerns: (event: EventRow) => boolean, refetch: () => void) {
  const pulse = usePulse();
  // A refetch that is due outlives a change of what it fetches.
  const refetchNow = useEffectEvent(refetch);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isDue = false;
    const run = () => {
      isDue = false;
      refetchNow();
      timer = setTimeout(() => {
        timer = undefined;
        if (isDue) run();
      }, REFETCH_MILLISECONDS);
    };
    const unfollow = pulse?.follow((events) => {
      if (!events.some(concerns)) return;
      if (timer) isDue = true;
      else run();
    });
    return () => {
      unfollow?.();
      clearTimeout(timer);
    };
  }, [pulse, concerns]);
}
