import { useEffect, useState } from "react";
import { useZone } from "../app/preferences";
import { counted, minute } from "../ui/format";
import { Button, useShortTime } from "../ui/ui";
import { useStreams } from "./connection";
import type { Phase, Snapshot } from "./feed";
import { type EventFeed, type EventRow, retryFeeds } from "./feeds";
import styles from "./state-line.module.css";
import { useSnapshot } from "./use-feed";

/** The time, each second, while `isOn`. */
function useNow(isOn: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isOn) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOn]);
  return now;
}

/** A shape for each state, since colour alone says nothing to some. */
const shapes: Record<Phase, string> = {
  connecting: "M6 2a4 4 0 1 1-4 4",
  "catching-up": "M2 3l4 3-4 3zM6 3l4 3-4 3z",
  live: "M6 1.5a4.5 4.5 0 1 0 .01 0z",
  paused: "M2.5 2h2.5v8H2.5zM7 2h2.5v8H7z",
  reconnecting: "M6 1l5 10H1z",
  "signed-out": "M3 5V4a3 3 0 0 1 6 0v1h1v6H2V5zm1.5 0h3V4a1.5 1.5 0 0 0-3 0z",
};

/** Whether the list is complete up to now, in words. */
export function StateLine({ feed, canPause = false }: { feed: EventFeed | undefined; canPause?: boolean }) {
  const snapshot = useSnapshot(feed);
  const { phase } = snapshot;
  const usesStreams = useStreams();
  return (
    <div className={styles.line} data-state={phase} data-testid="state">
      <svg className={styles.icon} viewBox="0 0 12 12" aria-hidden="true">
        <path
          d={shapes[phase]}
          fill={phase === "connecting" ? "none" : "currentColor"}
          stroke={phase === "connecting" ? "currentColor" : "none"}
          strokeWidth="2"
        />
      </svg>
      <StateText snapshot={snapshot} />
      {usesStreams && phase !== "reconnecting" && phase !== "signed-out" && (
        <span
          className={styles.note}
          title="Something between this browser and bidarc refuses WebSockets, so events come over an event stream, to one tab at a time. Nothing is missed."
        >
          · by the slower way
        </span>
      )}
      {phase === "paused" && (
        <Button onClick={() => feed?.resume()} title="Key: p">
          Resume
        </Button>
      )}
      {phase === "live" && canPause && (
        <Button look="quiet" onClick={() => feed?.pause()} title="Key: p">
          Pause
        </Button>
      )}
      {phase === "reconnecting" && <Button onClick={retryFeeds}>Try now</Button>}
    </div>
  );
}

function StateText({ snapshot }: { snapshot: Snapshot<EventRow> }) {
  const zone = useZone();
  const { phase, held, retryAt } = snapshot;
  const now = useNow(phase === "reconnecting");
  const short = useShortTime();
  switch (phase) {
    case "connecting":
      return <span className={styles.text}>Connecting…</span>;
    case "catching-up":
      return <span className={styles.text}>Catching up: {counted(snapshot.caught, "event")}</span>;
    case "live":
      return (
        <span>
          <span className={styles.text}>Live</span>{" "}
          {snapshot.lastEventAt && <span className={styles.note}>· last event {short(snapshot.lastEventAt)}</span>}
        </span>
      );
    case "paused":
      return (
        <span>
          <span className={styles.text}>Paused {minute(new Date(snapshot.pausedAt ?? 0), zone)}</span>
          <span className={styles.note}>
            , {held.count} new{held.accepted > 0 && `, ${held.accepted} of them accepted`}
          </span>
        </span>
      );
    case "signed-out":
      return <span className={styles.text}>Signed out</span>;
    case "reconnecting": {
      const seconds = retryAt === undefined ? undefined : Math.max(0, Math.ceil((retryAt - now) / 1000));
      return (
        <span>
          <span className={styles.text}>
            {snapshot.isLoadFailure ? "Loading failed" : "Connection lost"}
            {snapshot.lostAt === undefined ? "" : ` ${short(snapshot.lostAt)}`},{" "}
            {seconds === undefined ? "connecting again…" : `again in ${seconds} s`}
          </span>{" "}
          {snapshot.reason && <span className={styles.note}>· {snapshot.reason}</span>}
        </span>
      );
    }
  }
}
