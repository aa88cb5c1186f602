import { useEffect, useRef, useState } from "react";
import { subjectOf } from "../events/subject";
import { kindWords } from "../events/words";
import { counted, duration, money } from "../ui/format";
import { Hidden } from "../ui/ui";
import type { EventFeed, EventRow } from "./feeds";
import { useSnapshot } from "./use-feed";

/** A screen reader hears of new events at most this often. */
const ANNOUNCE_MILLISECONDS = 10_000;

function words(event: EventRow): string {
  const { who, what, amount } = subjectOf(event);
  const parts = [kindWords(event.kind).label, who?.name ?? what?.name, amount && money(amount.amount, amount.currency)];
  return parts.filter(Boolean).join(", ");
}

/** Tells a screen reader what happens, apart from the list, which it would have to read row by row. */
export function Announcer({ feed }: { feed: EventFeed | undefined }) {
  const { phase, isLoadFailure, lastGap } = useSnapshot(feed);
  const [text, setText] = useState("");
  const followedSince = useRef(0);
  useEffect(() => {
    followedSince.current = Date.now();
    let waiting: EventRow[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = () => {
      timer = undefined;
      const newest = waiting.at(-1);
      if (!newest) return;
      setText(waiting.length === 1 ? words(newest) : `${waiting.length} new, the last: ${words(newest)}`);
      waiting = [];
      timer = setTimeout(say, ANNOUNCE_MILLISECONDS);
    };
    const unfollow = feed?.follow((events) => {
      // Paused means quiet.
      if (feed.snapshot().phase === "paused") return;
      waiting.push(...events);
      if (!timer && events.length > 0) say();
    });
    return () => {
      unfollow?.();
      clearTimeout(timer);
    };
  }, [feed]);
  useEffect(() => {
    if (phase === "reconnecting") setText(isLoadFailure ? "Loading failed" : "Connection lost");
    if (phase === "signed-out") setText("Signed out");
  }, [phase, isLoadFailure]);
  useEffect(() => {
    // A break that was over before this page was opened is no news.
    if (lastGap && lastGap.to >= followedSince.current)
      setText(
        `Connected again. Away ${duration(lastGap.to - lastGap.from)}, ${counted(lastGap.count, "event")}, all here`,
      );
  }, [lastGap]);
  return (
    <Hidden>
      <span role="status">{text}</span>
    </Hidden>
  );
}
