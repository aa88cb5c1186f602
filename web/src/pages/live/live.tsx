import { lazy, Suspense, useCallback, useEffect, useMemo } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import { Header } from "../../app/header";
import { useKeys } from "../../app/keys";
import { OpenAsQuery } from "../../app/open-as-query";
import { useApi } from "../../app/use-api";
import { FilterBar, useConditions } from "../../events/filter-bar";
import { idText } from "../../events/subject";
import { EventTable } from "../../events/table";
import { EventCountDocument, LiveFeedDocument } from "../../gql/graphql";
import { Announcer } from "../../live/announcer";
import type { EventRow } from "../../live/feeds";
import { StateLine } from "../../live/state-line";
import { useFeed, useSnapshot } from "../../live/use-feed";
import { counted } from "../../ui/format";
import { Button, Card, classes, ErrorBoundary, Notice, Skeleton } from "../../ui/ui";
import { FirstSteps } from "./first-steps";
import styles from "./live.module.css";
import { Tiles } from "./tiles";

const EventDetails = lazy(() => import("../../events/details").then((module) => ({ default: module.EventDetails })));

/** What happens, as it happens. */
export function LivePage() {
  const { conditions, filter, set, add, setText } = useConditions();
  const feed = useFeed(filter);
  const snapshot = useSnapshot(feed);
  const { items, phase, beginsNow, refusal } = snapshot;
  const [parameters] = useSearchParams();
  const [, navigate] = useLocation();
  const selected = parameters.get("event");
  const text = parameters.toString();
  const hrefOf = useMemo(() => {
    const next = new URLSearchParams(text);
    next.delete("event");
    next.append("event", "");
    const base = `/?${next}`;
    return ({ id }: EventRow) => base + idText(id);
  }, [text]);
  const close = useCallback(() => {
    const next = new URLSearchParams(text);
    next.delete("event");
    navigate(next.size > 0 ? `/?${next}` : "/");
  }, [text, navigate]);
  const step = (by: number) => {
    const rows = items.filter((item) => item.type === "event");
    const next = rows[rows.findIndex(({ id }) => id === `event:${selected}`) + by];
    if (selected && next) navigate(hrefOf(next.event));
  };
  useKeys({
    p: () => feed?.togglePause(),
    ".": () => scrollTo({ top: 0 }),
    Escape: selected ? close : undefined,
    "[": selected ? () => step(1) : undefined,
    "]": selected ? () => step(-1) : undefined,
  });
  useEffect(() => {
    document.title =
      phase === "paused" && snapshot.held.count > 0 ? `(${snapshot.held.count}) Live · bidarc` : "Live · bidarc";
  }, [phase, snapshot.held.count]);
  const isSignedOut = phase === "signed-out" && items.length === 0;
  const hasLoaded =
    phase !== "connecting" && !(phase === "reconnecting" && items.length === 0 && snapshot.lostAt === undefined);
  return (
    <div className={styles.page}>
      <Header title="Live" state={refusal === undefined ? <StateLine feed={feed} canPause /> : undefined} />
      <Announcer feed={feed} />
      <Tiles />
      <div className={styles.bar}>
        <FilterBar conditions={conditions} set={set} add={add} setText={setText} />
      </div>
      <div className={styles.split} data-panel={selected ? "" : undefined}>
        <Card className={styles.list}>
          {beginsNow && (
            <p className={styles.note}>
              The log is too large to look for this text in all of it: the list begins with what arrives now. The page{" "}
              <Link href={`/events?${parameters}`}>Events</Link> searches a range of days.
            </p>
          )}
          {items.length > 0 ? (
            <>
              <EventTable
                label="Events, newest first"
                items={items}
                selected={selected ? `event:${selected}` : undefined}
                hrefOf={hrefOf}
                onFilter={add}
              />
              <p className={styles.more}>
                <Link href={conditions.length > 0 ? `/events?${parameters}` : "/events"}>Older events</Link>
                <OpenAsQuery document={LiveFeedDocument} variables={filter ? { filter } : {}} />
              </p>
            </>
          ) : refusal !== undefined ? (
            <div role="alert">
              <Notice title="The service does not take this filter">
                <p>{refusal}</p>
                <Button onClick={() => set([])}>Clear the filter</Button>
              </Notice>
            </div>
          ) : isSignedOut ? (
            <Notice title="Signed out">
              <p>The events are here once you have signed in.</p>
            </Notice>
          ) : hasLoaded ? (
            filter ? (
              <EmptyByFilter onClear={() => set([])} />
            ) : (
              <FirstSteps />
            )
          ) : (
            <Skeleton rows={10} />
          )}
        </Card>
        {selected && (
          <aside className={classes(styles.panel)} aria-label="Details">
            <Card>
              <ErrorBoundary key={selected}>
                <Suspense fallback={<Skeleton />}>
                  <EventDetails
                    id={`event:${selected}`}
                    level={2}
                    tools={
                      <Button look="quiet" onClick={close} title="Key: Esc">
                        Close
                      </Button>
                    }
                  />
                </Suspense>
              </ErrorBoundary>
            </Card>
          </aside>
        )}
      </div>
    </div>
  );
}

/** No event matches: how many there are without the filter. */
function EmptyByFilter({ onClear }: { onClear: () => void }) {
  const { data } = useApi(EventCountDocument, { filter: null });
  const count = data?.events.totalCount;
  return (
    <Notice title="No event matches this filter yet">
      <p>
        {count === undefined ? "" : `Without it there ${count === 1 ? "is" : "are"} ${counted(count, "event")}. `}
        The next one that matches appears here by itself.
      </p>
      <Button onClick={onClear}>Clear the filter</Button>
    </Notice>
  );
}
