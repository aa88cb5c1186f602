import { useEffect, useState } from "react";
import { useSearchParams } from "wouter";
import { useAlerts } from "../../app/alerts";
import { useZone } from "../../app/preferences";
import { StatusChange } from "../../events/status-change";
import { subjectOf } from "../../events/subject";
import { isAccepted, kindWords, providers } from "../../events/words";
import { Announcer } from "../../live/announcer";
import type { EventRow } from "../../live/feeds";
import { StateLine } from "../../live/state-line";
import { usePulse, useSnapshot } from "../../live/use-feed";
import { counted, duration, minute, money } from "../../ui/format";
import { Mark, Outdated, Time } from "../../ui/ui";
import { useToday } from "../live/tiles";
import { WallPipeline } from "./pipeline";
import { parseRotation, type View, viewAt } from "./views";
import styles from "./wall.module.css";

const ROWS = 8;
/** How long an accepted proposal stays on top. */
const HOLD_MILLISECONDS = 60_000;

function useMinute(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setTimeout(() => setNow(Date.now()), 60_000 - (Date.now() % 60_000));
    return () => clearTimeout(timer);
  });
  return now;
}

/** Keeps the screen on while the page is visible, where the browser can: over https, or on this machine. */
function useWakeLock() {
  useEffect(() => {
    let lock: Promise<WakeLockSentinel | undefined> | undefined;
    const request = () => {
      // The browser takes the lock back when the page is hidden.
      if (document.visibilityState === "visible") lock = navigator.wakeLock?.request("screen").catch(() => undefined);
    };
    request();
    document.addEventListener("visibilitychange", request);
    return () => {
      document.removeEventListener("visibilitychange", request);
      void lock?.then((held) => held?.release());
    };
  }, []);
}

/** What the wall shows now. */
function useView(): View {
  const [parameters] = useSearchParams();
  const { shown, seconds } = parseRotation(parameters);
  const [now, setNow] = useState(Date.now);
  const isAlone = shown.length === 1;
  useEffect(() => {
    if (isAlone) return;
    const rest = () => seconds * 1000 - (Date.now() % (seconds * 1000));
    let timer = setTimeout(function next() {
      setNow(Date.now());
      timer = setTimeout(next, rest());
    }, rest());
    return () => clearTimeout(timer);
  }, [isAlone, seconds]);
  return viewAt(now, shown, seconds);
}

/** Accepted proposals of the last minute; each goes when its time is over. */
function useHeld(): readonly EventRow[] {
  const pulse = usePulse();
  const [held, setHeld] = useState<readonly EventRow[]>([]);
  useEffect(() => {
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const unfollow = pulse?.follow((events) => {
      for (const event of events.filter(isAccepted)) {
        setHeld((current) => [event, ...current].slice(0, 3));
        const timer = setTimeout(() => {
          timers.delete(timer);
          setHeld((current) => current.filter(({ id }) => id !== event.id));
        }, HOLD_MILLISECONDS);
        timers.add(timer);
      }
    });
    return () => {
      unfollow?.();
      for (const timer of timers) clearTimeout(timer);
    };
  }, [pulse]);
  return held;
}

/** For a screen that hangs on a wall. */
export function WallPage() {
  const pulse = usePulse();
  const { items } = useSnapshot(pulse);
  const zone = useZone();
  const now = useMinute();
  const { tiles, error } = useToday();
  const held = useHeld();
  const view = useView();
  const { silent } = useAlerts();
  useWakeLock();
  useEffect(() => {
    document.title = "Wall · bidarc";
  }, []);
  const heldIds = new Set(held.map(({ id }) => id));
  const rest = items.filter(({ id }) => !heldIds.has(id)).slice(0, ROWS - held.length);
  return (
    <main className={styles.wall}>
      <header className={styles.head}>
        <div>
          <h1 className={styles.clock}>{minute(new Date(now), zone)}</h1>
          <p className={styles.zone}>{zone}</p>
        </div>
        <div className={styles.state}>
          <StateLine feed={pulse} />
          <Outdated error={error} />
          {silent.map(({ provider, since }) => (
            <p key={provider} className={styles.silent}>
              {providers[provider]} has been silent since <Time at={since} />
            </p>
          ))}
        </div>
      </header>
      <Announcer feed={pulse} />
      <dl className={styles.tiles}>
        {tiles.map(({ name, count }) => (
          <div key={name} className={styles.tile}>
            <dt>{name}</dt>
            <dd>{count ?? "–"}</dd>
          </div>
        ))}
      </dl>
      <div className={styles.view} data-view={view}>
        {(view === "live" || held.length > 0) && (
          <ol className={styles.rows} aria-label={view === "live" ? "The last events" : "Just accepted"}>
            {held.map((event) => (
              <WallRow key={event.id} event={event} />
            ))}
            {view === "live" &&
              rest.map((item) =>
                item.type === "event" ? (
                  <WallRow key={item.id} event={item.event} />
                ) : (
                  <li key={item.id} className={styles.gap}>
                    ↑ Away {duration(item.to - item.from)}, {counted(item.count, "event")}
                  </li>
                ),
              )}
          </ol>
        )}
        {view === "pipeline" && <WallPipeline />}
      </div>
    </main>
  );
}

function WallRow({ event }: { event: EventRow }) {
  const { who, what, amount } = subjectOf(event);
  const { label, tone } = kindWords(event.kind);
  return (
    <li className={styles.row} data-accepted={isAccepted(event) || undefined}>
      <Time at={event.receivedAt} />
      <Mark tone={tone}>{label}</Mark>
      <span className={styles.subject}>
        <span>{[who?.name, what?.name].filter(Boolean).join(" · ")}</span>
        <span className={styles.status}>
          <StatusChange event={event} />
        </span>
      </span>
      <span>{amount && money(amount.amount, amount.currency)}</span>
    </li>
  );
}
