import type { CSSProperties, ReactNode } from "react";
import { Link } from "wouter";
import { providers, statuses } from "../../events/words";
import type { PipelineQuery } from "../../gql/graphql";
import { duration, money } from "../../ui/format";
import { Badge } from "../../ui/ui";
import { gridOf, type HourCount, hourName, weekdayName } from "./hours";
import styles from "./pipeline.module.css";
import { type Steps, type Sums, stepNames, steps } from "./steps";

type Stats = PipelineQuery["all"];

export function Table({ label, head, children }: { label: string; head: readonly string[]; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={styles.scroll} tabIndex={0} aria-label={label}>
      <table className={styles.table}>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** A number, and a bar as long as its share of the largest one. */
function Bar({ value, most }: { value: number | null; most: number }) {
  if (value === null) return <td className={styles.soft}>–</td>;
  return (
    <td className={styles.bar} style={{ "--share": most > 0 ? value / most : 0 } as CSSProperties}>
      {value.toLocaleString()}
    </td>
  );
}

function Amounts({ amounts }: { amounts: readonly { currency: string | null; amount: string }[] }) {
  return (
    <td className={styles.number}>
      {amounts
        .filter(({ amount }) => !/^[0.]+$/.test(amount))
        .map(({ currency, amount }) => (
          <div key={currency}>{money(amount, currency)}</div>
        ))}
    </td>
  );
}

export function ByStatus({ rows }: { rows: Stats["byStatus"] }) {
  const most = Math.max(0, ...rows.map(({ count }) => count));
  return (
    <Table label="Proposals by status" head={["Status", "Proposals", "Amounts, by currency", "Paid"]}>
      {rows.map(({ status, count, totals, paid }) => (
        <tr key={status} data-status={status}>
          <td>
            {status ? (
              <Link href={`/proposals?status=${status.toLowerCase()}`}>
                <Badge tone={statuses[status].tone}>{statuses[status].label}</Badge>
              </Link>
            ) : (
              "No status yet"
            )}
          </td>
          <Bar value={count} most={most} />
          <Amounts amounts={totals} />
          <Amounts amounts={paid} />
        </tr>
      ))}
    </Table>
  );
}

const changeText = (change: number) => (change === 0 ? "±0" : `${change > 0 ? "+" : "−"}${Math.abs(change)}`);

export function Weeks({ now, before }: { now: Sums; before: Sums }) {
  const most = Math.max(...Object.values(now), ...Object.values(before));
  return (
    <Table label="Proposals of this week and the last" head={["Proposals", "This week", "Last week", "Change"]}>
      {steps.map((step) => (
        <tr key={step} data-step={step}>
          <td>{stepNames[step]}</td>
          <Bar value={now[step]} most={most} />
          <Bar value={before[step]} most={most} />
          <td className={styles.number}>{changeText(now[step] - before[step])}</td>
        </tr>
      ))}
    </Table>
  );
}

export function TimeToAccept({ count, medianSeconds, p90Seconds }: Stats["timeToAccept"]) {
  if (medianSeconds === null || p90Seconds === null) {
    return <p className={styles.soft}>No proposal was sent and then accepted yet.</p>;
  }
  const figures = [
    ["Half within", duration(medianSeconds * 1000)],
    ["Nine of ten within", duration(p90Seconds * 1000)],
    ["Accepted", count.toLocaleString()],
  ];
  return (
    <dl className={styles.figures}>
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

type FunnelRow = Steps & Pick<Stats["funnel"][number], "start" | "provider">;

export function FunnelTable({ rows, nameOf }: { rows: readonly FunnelRow[]; nameOf: (start: Date) => string }) {
  const most = Math.max(0, ...rows.map(({ created }) => created));
  return (
    <Table label="Figures of the funnel" head={["Created in", "Vendor", ...steps.map((step) => stepNames[step])]}>
      {rows.toReversed().map((row) => (
        <tr key={`${row.start} ${row.provider}`}>
          <td>{nameOf(new Date(row.start))}</td>
          <td>{providers[row.provider]}</td>
          {steps.map((step) => (
            <Bar key={step} value={row[step]} most={most} />
          ))}
        </tr>
      ))}
    </Table>
  );
}

export function ViewsTable({ counts }: { counts: readonly HourCount[] }) {
  const grid = gridOf(counts).filter((days) => days.some(({ count }) => count > 0));
  const head = [1, 2, 3, 4, 5, 6, 7].map((weekday) => weekdayName(weekday, "short"));
  return (
    <Table label="Figures of the views" head={["Hour", ...head]}>
      {grid.map((days) => (
        <tr key={days[0]?.hour}>
          <td>{hourName(days[0]?.hour ?? 0)}</td>
          {days.map(({ weekday, count }) => (
            <td key={weekday}>{count > 0 ? count.toLocaleString() : ""}</td>
          ))}
        </tr>
      ))}
    </Table>
  );
}
