import { useCallback, useEffect, useState } from "react";
import { Header } from "../../app/header";
import { useKeys } from "../../app/keys";
import { OpenAsQuery } from "../../app/open-as-query";
import { useApi } from "../../app/use-api";
import { withCondition } from "../../events/filter";
import { FilterBar, useConditions } from "../../events/filter-bar";
import { idText } from "../../events/subject";
import { EventTable } from "../../events/table";
import { type EventFilter, EventHistoryDocument } from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { usePhase, usePulse } from "../../live/use-feed";
import { Button, Card, Failure, Field, inputClass, Notice, Skeleton } from "../../ui/ui";
import styles from "./history.module.css";

const PAGE_SIZE = 50;

/** The whole log, newest first. */
export function EventsPage() {
  const { conditions, filter, set, add, setText } = useConditions();
  const key = JSON.stringify(filter);
  const day = (property: "from" | "before") => (
    <Field label={property === "from" ? "From" : "Before"}>
      <input
        type="date"
        className={inputClass}
        value={conditions.find((condition) => condition.property === property)?.value ?? ""}
        onChange={({ target }) =>
          set(
            target.value
              ? withCondition(conditions, { property, value: target.value, not: false })
              : conditions.filter((condition) => condition.property !== property),
          )
        }
      />
    </Field>
  );
  useEffect(() => {
    document.title = "Events · bidarc";
  }, []);
  return (
    <div className={styles.page}>
      <Header title="Events" />
      <div className={styles.bar}>
        <FilterBar conditions={conditions} set={set} add={add} setText={setText} />
        <span className={styles.days}>
          {day("from")}
          {day("before")}
        </span>
        <OpenAsQuery
          document={EventHistoryDocument}
          variables={filter ? { filter, first: PAGE_SIZE } : { first: PAGE_SIZE }}
        />
      </div>
      <Card>
        <History key={key} filter={filter} onFilter={add} onClear={() => set([])} />
      </Card>
    </div>
  );
}

interface HistoryProps {
  filter: EventFilter | null;
  onFilter: Parameters<typeof EventTable>[0]["onFilter"];
  onClear: () => void;
}

const hrefOf = ({ id }: EventRow) => `/events/${idText(id)}`;

function History({ filter, onFilter, onClear }: HistoryProps) {
  const [after, setAfter] = useState<string | null>(null);
  const [older, setOlder] = useState<readonly EventRow[]>([]);
  const { data, error, isFetching, refetch } = useApi(EventHistoryDocument, { filter, first: PAGE_SIZE, after });
  // Newer events do not move what one reads: they are counted, and shown on demand.
  const [newer, setNewer] = useState(0);
  const pulse = usePulse();
  const phase = usePhase(pulse);
  useEffect(() => pulse?.follow((events) => setNewer((count) => count + events.length)), [pulse]);
  const events = data ? [...older, ...data.events.nodes] : older;
  const next = data?.events.pageInfo;
  const restart = useCallback(() => {
    setNewer(0);
    setOlder([]);
    setAfter(null);
    refetch();
  }, [refetch]);
  useKeys({ ".": restart });
  if (error && events.length === 0) return <Failure error={error} retry={refetch} />;
  if (!data && older.length === 0) return <Skeleton rows={12} />;
  if (events.length === 0 && !isFetching) {
    return (
      <Notice title={filter ? "No event matches this filter" : "There are no events yet"}>
        {filter && <Button onClick={onClear}>Clear the filter</Button>}
      </Notice>
    );
  }
  return (
    <>
      {newer > 0 && phase !== "connecting" && (
        <p className={styles.newer}>
          <Button onClick={restart}>Show newer events</Button>
        </p>
      )}
      <EventTable
        label="Events, newest first"
        items={events.map((event) => ({ type: "event", id: event.id, event }))}
        selected={undefined}
        hrefOf={hrefOf}
        onFilter={onFilter}
      />
      {error && <Failure error={error} retry={refetch} />}
      <p className={styles.more}>
        {error ? null : next?.hasNextPage ? (
          <Button
            disabled={isFetching}
            onClick={() => {
              setOlder(events);
              setAfter(next.endCursor ?? null);
            }}
          >
            Older events
          </Button>
        ) : (
          "This is the first event of the log."
        )}
      </p>
    </>
  );
}
