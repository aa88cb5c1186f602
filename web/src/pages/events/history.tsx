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
import { useFeed } from "../../live/use-feed";
import { Button, Card, Failure, Field, inputClass, Notice, Outdated, Skeleton } from "../../ui/ui";
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
  const { data, isCurrent, error, isFetching, refetch } = useApi(EventHistoryDocument, {
    filter,
    first: PAGE_SIZE,
    after,
  });
  const page = isCurrent ? data?.events : undefined;
  const events = page ? [...older, ...page.nodes] : older;
  // Newer events do not move what one reads: they are shown on demand.
  const [newest, setNewest] = useState<string>();
  const feed = useFeed(filter);
  useEffect(() => feed?.follow((arrived) => setNewest((current) => arrived.at(-1)?.id ?? current)), [feed]);
  const hasNewer = newest !== undefined && !events.some(({ id }) => id === newest);
  const restart = useCallback(() => {
    setOlder([]);
    setAfter(null);
    refetch();
  }, [refetch]);
  useKeys({ ".": restart });
  if (!page && older.length === 0) {
    return error ? <Failure error={error} retry={refetch} /> : <Skeleton rows={12} />;
  }
  const newerEvents = hasNewer && (
    <p className={styles.newer}>
      <Button onClick={restart}>Show newer events</Button>
    </p>
  );
  if (events.length === 0) {
    return (
      <Notice title={filter ? "No event matches this filter" : "There are no events yet"}>
        {newerEvents}
        {filter && <Button onClick={onClear}>Clear the filter</Button>}
      </Notice>
    );
  }
  return (
    <>
      {newerEvents}
      {page && <Outdated error={error} />}
      <EventTable
        label="Events, newest first"
        items={events.map((event) => ({ type: "event", id: event.id, event }))}
        selected={undefined}
        hrefOf={hrefOf}
        onFilter={onFilter}
      />
      {error && !page ? (
        <Failure error={error} retry={refetch} />
      ) : (
        <p className={styles.more}>
          {!page || page.pageInfo.hasNextPage ? (
            <Button
              disabled={isFetching}
              onClick={() => {
                setOlder(events);
                setAfter(page?.pageInfo.endCursor ?? null);
              }}
            >
              Older events
            </Button>
          ) : filter ? (
            "No older event matches this filter."
          ) : (
            "This is the first event of the log."
          )}
        </p>
      )}
    </>
  );
}
