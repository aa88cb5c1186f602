import { type KeyboardEvent, type MouseEvent, memo, type RefObject, useCallback, useRef, useState } from "react";
import { Link } from "wouter";
import { useKeys } from "../app/keys";
import { preferences } from "../app/preferences";
import type { Gap, Item } from "../live/feed";
import type { EventRow } from "../live/feeds";
import { counted, duration, money } from "../ui/format";
import { Hidden, Mark, Time, useShortTime } from "../ui/ui";
import { type Condition, canExclude, lower } from "./filter";
import { StatusChange } from "./status-change";
import { idText, subjectOf } from "./subject";
import styles from "./table.module.css";
import { kindWords, providers } from "./words";

type AddCondition = (condition: Condition) => void;

/** More than so many events within the time of one highlight are not highlighted: it would be no help, and much work. */
const DENSE_ROWS = 8;
const DENSE_MILLISECONDS = 2000;

/** What the rows that come are measured by: what the first paint shows is not new. */
interface Arrival {
  since: string | undefined;
  isDense: boolean;
}

function isDense(newest: string | undefined, older: string | undefined): boolean {
  return newest !== undefined && older !== undefined && Date.parse(newest) - Date.parse(older) < DENSE_MILLISECONDS;
}

interface RowProps {
  event: EventRow;
  href: string;
  isSelected: boolean;
  arrival: RefObject<Arrival>;
  onFilter: AddCondition;
}

interface ValueProps {
  text: string;
  condition: Omit<Condition, "not">;
  onFilter: AddCondition;
  className?: string | undefined;
}

/** A value that filters by itself when it is clicked, and excludes itself with Shift. */
function Value({ text, condition, onFilter, className }: ValueProps) {
  const filter = (event: MouseEvent) => onFilter({ ...condition, not: event.shiftKey && canExclude(condition) });
  const hint = canExclude(condition) ? `Only ${text}; with Shift: not ${text}` : `Only ${text}`;
  return (
    <button type="button" className={`${styles.value} ${className ?? ""}`} title={hint} onClick={filter}>
      {text}
    </button>
  );
}

/** The condition for an object by its node id. */
function byId(id: string): Omit<Condition, "not"> | undefined {
  const property = id.slice(0, id.indexOf(":"));
  if (property !== "proposal" && property !== "client" && property !== "project" && property !== "drawing")
    return undefined;
  return { property, value: idText(id) };
}

function NamedValue({ named, onFilter }: { named: { id?: string | undefined; name: string }; onFilter: AddCondition }) {
  const condition = named.id === undefined ? undefined : byId(named.id);
  const text = named.name || (named.id ? idText(named.id) : "");
  return condition ? <Value text={text} condition={condition} onFilter={onFilter} /> : text;
}

const EventRowView = memo(function EventRowView({ event, href, isSelected, arrival, onFilter }: RowProps) {
  // As it was when the row came: no later event renders the row again.
  const [isNew] = useState(() => {
    const { since, isDense } = arrival.current;
    return !isDense && since !== undefined && event.receivedAt > since;
  });
  const { who, what, amount } = subjectOf(event);
  const { label, tone } = kindWords(event.kind);
  const vendorTypes = event.kind === "UNRECOGNIZED" ? event.vendorTypes : [];
  return (
    <tr
      className={styles.row}
      data-event={event.id}
      data-selected={isSelected || undefined}
      data-new={isNew || undefined}
    >
      <td className={styles.time}>
        <Link href={href} aria-current={isSelected || undefined}>
          <Time at={event.receivedAt} />
          <Hidden> {label}, details</Hidden>
        </Link>
      </td>
      <td className={styles.kind}>
        <Mark tone={tone}>
          <span>
            <Value text={label} condition={{ property: "kind", value: lower(event.kind) }} onFilter={onFilter} />{" "}
            <Value
              text={providers[event.provider]}
              condition={{ property: "vendor", value: lower(event.provider) }}
              onFilter={onFilter}
              className={styles.vendor}
            />
          </span>
        </Mark>
        {event.problem && <p className={styles.problem}>A part of this event is missing: {event.problem}</p>}
      </td>
      <td className={styles.who}>{who && <NamedValue named={who} onFilter={onFilter} />}</td>
      <td className={styles.what}>
        {what ? (
          <NamedValue named={what} onFilter={onFilter} />
        ) : (
          vendorTypes.map((type) => (
            <Value key={type} text={type} condition={{ property: "vendor-type", value: type }} onFilter={onFilter} />
          ))
        )}
      </td>
      <td className={styles.amount}>{amount && money(amount.amount, amount.currency)}</td>
      <td className={styles.status}>
        <StatusChange event={event} />
      </td>
    </tr>
  );
});

function GapRow({ gap }: { gap: Gap }) {
  const [from, to] = [gap.from, gap.to].map(useShortTime());
  const what =
    gap.count === 0 ? "nothing happened" : `${counted(gap.count, "event")}, ${gap.isComplete ? "all here" : "so far"}`;
  return (
    <tr className={styles.gap} data-gap={gap.count} data-complete={gap.isComplete}>
      <td colSpan={6} title={`${from} to ${to}`}>
        ↑ Away {duration(gap.to - gap.from)}, {what}
        {gap.isComplete && " · caught up"}
      </td>
    </tr>
  );
}

interface TableProps {
  label: string;
  items: readonly Item<EventRow>[];
  selected: string | undefined;
  hrefOf: (event: EventRow) => string;
  onFilter: AddCondition;
}

/** Events, newest first. `j` and `k` move between rows; in the table the arrows do too, and elsewhere they scroll. */
export function EventTable({ label, items, selected, hrefOf, onFilter }: TableProps) {
  const table = useRef<HTMLTableElement>(null);
  const events = items.filter((item) => item.type === "event");
  const since = events[0]?.event.receivedAt;
  const arrival = useRef<Arrival>({ since: undefined, isDense: false });
  arrival.current.since ??= since;
  arrival.current.isDense = isDense(since, events[DENSE_ROWS]?.event.receivedAt);
  const move = useCallback(
    (step: number) => {
      const links = [...(table.current?.querySelectorAll<HTMLAnchorElement>("td:first-child > a") ?? [])];
      const focused = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
      const at = focused >= 0 ? focused : links.findIndex((link) => link.ariaCurrent === "true");
      const next = links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)];
      next?.focus();
      // An open panel follows.
      if (selected) next?.click();
    },
    [selected],
  );
  useKeys({ j: () => move(1), k: () => move(-1) });
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const hasModifier = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (step === 0 || hasModifier || !preferences.get().keys) return;
    event.preventDefault();
    move(step);
  };
  return (
    <div className={styles.container}>
      <table className={styles.table} ref={table} aria-label={label} onKeyDown={press}>
        <thead>
          <tr>
            <th scope="col" className={styles.time}>
              Time
            </th>
            <th scope="col" className={styles.kind}>
              What
            </th>
            <th scope="col">Who</th>
            <th scope="col">About</th>
            <th scope="col" className={styles.amount}>
              Amount
            </th>
            <th scope="col" className={styles.status}>
              Status
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) =>
            item.type === "gap" ? (
              <GapRow key={item.id} gap={item} />
            ) : (
              <EventRowView
                key={item.id}
                event={item.event}
                href={hrefOf(item.event)}
                isSelected={item.id === selected}
                arrival={arrival}
                onFilter={onFilter}
              />
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
