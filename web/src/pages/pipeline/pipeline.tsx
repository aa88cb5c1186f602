import { type CSSProperties, type ReactNode, useCallback, useEffect, useMemo } from "react";
import { Link } from "wouter";
import { Header } from "../../app/header";
import { OpenAsQuery } from "../../app/open-as-query";
import { useZone } from "../../app/preferences";
import { useApi } from "../../app/use-api";
import { providers, statuses } from "../../events/words";
import {
  PipelineDocument,
  PipelinePaidDocument,
  type PipelinePaidQuery,
  type PipelineQuery,
  PipelineWeekDocument,
} from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { useRefetchOn } from "../../live/use-feed";
import { duration, money } from "../../ui/format";
import { Badge, Card, Failure, Notice, Skeleton } from "../../ui/ui";
import styles from "./pipeline.module.css";
import { sumOf, weeksAt } from "./weeks";

type Stats = PipelineQuery["all"];

const concerns = ({ __typename }: EventRow) => __typename === "ProposalEvent";

/** Where all proposals stand. Each chart is a table whose cells draw themselves. */
export function PipelinePage() {
  const timeZone = useZone();
  const weeks = useMemo(() => weeksAt(new Date()), []);
  const variables = { timeZone };
  const { data, error, refetch } = useApi(PipelineDocument, variables);
  const paid = useApi(PipelinePaidDocument, variables);
  const now = useApi(PipelineWeekDocument, { from: weeks.thisWeek, before: null, timeZone });
  const before = useApi(PipelineWeekDocument, { from: weeks.lastWeek, before: weeks.thisWeek, timeZone });
  const refetchAll = useCallback(() => {
    refetch();
    paid.refetch();
    now.refetch();
  }, [refetch, paid.refetch, now.refetch]);
  useRefetchOn(concerns, refetchAll);
  useEffect(() => {
    document.title = "Pipeline · bidarc";
  }, []);
  return (
    <div className={styles.page}>
      <Header title="Pipeline" />
      {error && !data && <Failure error={error} retry={refetch} />}
      {!data && !error && <Skeleton rows={10} />}
      {data?.all.byStatus.every(({ count }) => count === 0) && (
        <Notice title="There are no proposals yet">
          <p>The figures appear with the first proposal. The page Hooks has the URLs that the vendors need.</p>
          <Link href="/hooks">Hooks</Link>
        </Notice>
      )}
      {data && (
        <>
          <Card className={styles.section}>
            <h2>By status</h2>
            <ByStatus rows={data.all.byStatus.filter(({ count }) => count > 0)} paid={paid.data?.all.byStatus ?? []} />
          </Card>
          <div className={styles.columns}>
            <Card className={styles.section}>
              <h2>This week and the last</h2>
              <Weeks now={sumOf(now.data?.week.funnel ?? [])} before={sumOf(before.data?.week.funnel ?? [])} />
            </Card>
            <Card className={styles.section}>
              <h2>Time to accept</h2>
              <TimeToAccept {...data.all.timeToAccept} />
            </Card>
          </div>
          <Card className={styles.section}>
            <h2>Funnel by the month of creation</h2>
            <Funnel rows={data.all.funnel} timeZone={timeZone} />
            <p className={styles.soft}>ArcSite does not say whether a proposal was viewed.</p>
          </Card>
          <OpenAsQuery document={PipelineDocument} variables={variables} />
        </>
      )}
    </div>
  );
}

function Table({ label, head, children }: { label: string; head: readonly string[]; children: ReactNode }) {
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

interface ByStatusProps {
  rows: Stats["byStatus"];
  paid: PipelinePaidQuery["all"]["byStatus"];
}

function ByStatus({ rows, paid }: ByStatusProps) {
  const most = Math.max(0, ...rows.map(({ count }) => count));
  return (
    <Table label="Proposals by status" head={["Status", "Proposals", "Amounts, by currency", "Paid"]}>
      {rows.map(({ status, count, totals }) => (
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
          <Amounts amounts={paid.find((other) => other.status === status)?.paid ?? []} />
        </tr>
      ))}
    </Table>
  );
}

type Sums = ReturnType<typeof sumOf>;

function Weeks({ now, before }: { now: Sums; before: Sums }) {
  const most = Math.max(...Object.values(now), ...Object.values(before));
  const names = { created: "Created", sent: "Sent", viewed: "Viewed", accepted: "Accepted" } as const;
  return (
    <Table label="Proposals of this week and the last" head={["Of the proposals created", "This week", "Last week"]}>
      {(Object.keys(names) as (keyof typeof names)[]).map((name) => (
        <tr key={name}>
          <td>{names[name]}</td>
          <Bar value={now[name]} most={most} />
          <Bar value={before[name]} most={most} />
        </tr>
      ))}
    </Table>
  );
}

function TimeToAccept({ count, medianSeconds, p90Seconds }: Stats["timeToAccept"]) {
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

function Funnel({ rows, timeZone }: { rows: Stats["funnel"]; timeZone: string }) {
  const month = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", timeZone });
  const most = Math.max(0, ...rows.map(({ created }) => created));
  return (
    <Table label="Funnel" head={["Month", "Vendor", "Created", "Sent", "Viewed", "Accepted"]}>
      {rows.toReversed().map(({ start, provider, created, sent, viewed, accepted }) => (
        <tr key={`${start} ${provider}`}>
          <td>{month.format(new Date(start))}</td>
          <td>{providers[provider]}</td>
          <Bar value={created} most={most} />
          <Bar value={sent} most={most} />
          <Bar value={viewed} most={most} />
          <Bar value={accepted} most={most} />
        </tr>
      ))}
    </Table>
  );
}
