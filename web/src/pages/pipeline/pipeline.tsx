import { lazy, type ReactNode, Suspense, useEffect, useId, useMemo } from "react";
import { Link, useSearchParams } from "wouter";
import { isTemporary } from "../../app/api";
import { Header } from "../../app/header";
import { OpenAsQuery } from "../../app/open-as-query";
import { useZone } from "../../app/preferences";
import { useApi } from "../../app/use-api";
import { idText } from "../../events/subject";
import { type FollowUpsFragment, PipelineDocument, type PipelineQuery } from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { usePulse, useRefetchOn, useSnapshot } from "../../live/use-feed";
import { useQuarter } from "../../ui/clock";
import { counted, longTime, money } from "../../ui/format";
import { Card, ErrorBoundary, Failure, Field, Notice, Skeleton, selectClass, Time } from "../../ui/ui";
import { type FollowUp, followUpFilter, followUps } from "../proposals/follow-up";
import { busiest, hourName, weekdayName } from "./hours";
import styles from "./pipeline.module.css";
import { type BucketLength, pointsOf, stepNames, steps, sumOf } from "./steps";
import { ByStatus, FunnelTable, Table, TimeToAccept, ViewsTable, Weeks } from "./tables";
import { weeksAt } from "./weeks";

const charts = () => import("./charts/charts");
const FunnelChart = lazy(() => charts().then((module) => ({ default: module.FunnelChart })));
const ViewsChart = lazy(() => charts().then((module) => ({ default: module.ViewsChart })));

type Stats = PipelineQuery["all"];

const concerns = ({ __typename }: EventRow) => __typename === "ProposalEvent";

/** Where all proposals stand, and which ones wait. Each chart is also a table. */
export function PipelinePage() {
  const timeZone = useZone();
  const quarter = useQuarter();
  const [parameters, setParameters] = useSearchParams();
  const bucket: BucketLength = parameters.get("by") === "week" ? "WEEK" : "MONTH";
  const variables = useMemo(
    () => ({
      timeZone,
      bucket,
      ...weeksAt(quarter, timeZone),
      notViewed: followUpFilter("not-viewed", quarter),
      notAnswered: followUpFilter("not-answered", quarter),
    }),
    [timeZone, bucket, quarter],
  );
  const { data, answered, error, refetch } = useApi(PipelineDocument, variables, {
    // The quarter goes on while the service is away.
    subject: `${timeZone} ${bucket}`,
  });
  // Until the answer to other ones is here, the numbers are those of the zone and the length before.
  const shown = answered ?? variables;
  useRefetchOn(concerns, refetch);
  useEffect(() => {
    document.title = "Pipeline · bidarc";
  }, []);
  return (
    <div className={styles.page}>
      <Header title="Pipeline" />
      {error && !data && <Failure error={error} retry={refetch} />}
      {!data && !error && <Skeleton rows={10} />}
      {data && <Moment data={data} timeZone={shown.timeZone} isFailing={isTemporary(error)} />}
      {data?.all.byStatus.every(({ count }) => count === 0) && (
        <Notice title="There are no proposals yet">
          <p>The figures appear with the first proposal. The page Hooks has the URLs that the vendors need.</p>
          <Link href="/hooks">Hooks</Link>
        </Notice>
      )}
      {data?.all.byStatus.some(({ count }) => count > 0) && (
        <>
          <div className={styles.columns}>
            <Card className={styles.section}>
              <h2>By status</h2>
              <ByStatus rows={data.all.byStatus.filter(({ count }) => count > 0)} />
            </Card>
            <div className={styles.page}>
              <Card className={styles.section}>
                <h2>This week and the last</h2>
                <Weeks now={sumOf(data.thisWeek.funnel)} before={sumOf(data.lastWeek.funnel)} />
                <p className={styles.soft}>
                  This week is not over. Each step counts those that were created in the week.
                </p>
              </Card>
              <Card className={styles.section}>
                <h2>Time to accept</h2>
                <TimeToAccept {...data.all.timeToAccept} />
              </Card>
            </div>
          </div>
          <div className={styles.halves}>
            <FollowUpCard name="not-viewed" found={data.notViewed} />
            <FollowUpCard name="not-answered" found={data.notAnswered} />
          </div>
          <Card className={styles.section}>
            <div className={styles.head}>
              <h2>Funnel by the time of creation</h2>
              <Field label="A point is a">
                <select
                  className={selectClass}
                  value={bucket}
                  onChange={({ target }) => setParameters(target.value === "WEEK" ? { by: "week" } : {})}
                >
                  <option value="MONTH">month</option>
                  <option value="WEEK">week</option>
                </select>
              </Field>
            </div>
            <Funnel rows={data.all.funnel} bucket={shown.bucket} timeZone={shown.timeZone} />
          </Card>
          <Card className={styles.section}>
            <h2>Views by weekday and hour</h2>
            <Views counts={data.all.viewsByHour} timeZone={shown.timeZone} />
          </Card>
          <p>
            <OpenAsQuery document={PipelineDocument} variables={variables} />
          </p>
        </>
      )}
    </div>
  );
}

/** When each answer came. One from the cache keeps its time. */
const moments = new WeakMap<PipelineQuery, number>();

function momentOf(data: PipelineQuery): number {
  const moment = moments.get(data) ?? Date.now();
  moments.set(data, moment);
  return moment;
}

/** Of which moment the numbers are, and by which clocks. */
function Moment({ data, timeZone, isFailing }: { data: PipelineQuery; timeZone: string; isFailing: boolean }) {
  const { phase } = useSnapshot(usePulse());
  const moment = new Date(momentOf(data));
  return (
    <p className={styles.soft} data-testid="moment">
      Numbers of <time dateTime={moment.toISOString()}>{longTime(moment, timeZone)}</time>. Weeks, months and hours are
      those of the time zone {timeZone}.{phase === "reconnecting" && " Without the connection they grow old."}
      {isFailing && " Newer ones could not be fetched; the page tries again every 15 seconds."}
    </p>
  );
}

function FollowUpCard({ name, found }: { name: FollowUp; found: FollowUpsFragment }) {
  const since = name === "not-viewed" ? "Sent" : "First viewed";
  const { nodes, totalCount } = found;
  return (
    <Card className={styles.section}>
      <h2>{followUps[name]}</h2>
      {nodes.length === 0 ? (
        <p className={styles.soft}>No proposal waits. Only Bidsketch reports views.</p>
      ) : (
        <>
          <Table label={followUps[name]} head={["Proposal", "Amount", since]}>
            {nodes.map((proposal) => {
              const at = name === "not-viewed" ? proposal.sentAt : proposal.firstViewedAt;
              return (
                <tr key={proposal.id} data-proposal={proposal.id}>
                  <td>
                    <Link href={`/proposals/${idText(proposal.id)}`}>{proposal.name || idText(proposal.id)}</Link>
                    <div className={styles.soft}>{proposal.customerName}</div>
                  </td>
                  <td className={styles.number}>{proposal.total && money(proposal.total, proposal.currency)}</td>
                  <td className={styles.number}>{at && <Time at={at} />}</td>
                </tr>
              );
            })}
          </Table>
          <Link href={`/proposals?follow-up=${name}`}>
            {totalCount === 1 ? "In the list of proposals" : `All ${counted(totalCount, "proposal")}`}
          </Link>
        </>
      )}
    </Card>
  );
}

interface ChartProps {
  caption: string;
  chart: (captionId: string) => ReactNode;
  children: ReactNode;
}

/** A chart with its meaning in words, and its figures as a table. */
function Chart({ caption, chart, children }: ChartProps) {
  const id = useId();
  return (
    <figure className={styles.figure}>
      <ErrorBoundary>
        <Suspense fallback={<div className={styles.waiting} />}>{chart(id)}</Suspense>
      </ErrorBoundary>
      <figcaption id={id} className={styles.soft}>
        {caption}
      </figcaption>
      <details className={styles.details}>
        <summary>Figures</summary>
        {children}
      </details>
    </figure>
  );
}

interface FunnelProps {
  rows: Stats["funnel"];
  bucket: BucketLength;
  timeZone: string;
}

function Funnel({ rows, bucket, timeZone }: FunnelProps) {
  const format = new Intl.DateTimeFormat(
    undefined,
    bucket === "MONTH"
      ? { month: "short", year: "numeric", timeZone }
      : { day: "numeric", month: "short", year: "2-digit", timeZone },
  );
  const nameOf = (start: Date) => format.format(start);
  const points = pointsOf(rows, bucket, timeZone);
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return <p className={styles.soft}>No proposal has a time of creation.</p>;
  const sums = sumOf(points);
  const words = steps.map((step) => `${sums[step].toLocaleString()} ${stepNames[step].toLowerCase()}`).join(", ");
  const range = first === last ? nameOf(first.start) : `${nameOf(first.start)} to ${nameOf(last.start)}`;
  return (
    <Chart
      caption={`${range}: ${words}. A proposal counts where it was created, with how far it has come by now. ArcSite does not say whether a proposal was viewed.`}
      chart={(id) => (
        <FunnelChart
          points={points}
          nameOf={nameOf}
          label={`Proposals by the ${bucket.toLowerCase()} of creation: created, sent, viewed and accepted`}
          describedBy={id}
        />
      )}
    >
      <FunnelTable rows={rows} nameOf={nameOf} />
    </Chart>
  );
}

function Views({ counts, timeZone }: { counts: Stats["viewsByHour"]; timeZone: string }) {
  const most = busiest(counts);
  if (!most) return <p className={styles.soft}>No view was reported yet. Only Bidsketch reports views.</p>;
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const day = weekdayName(most.weekday, "long");
  return (
    <Chart
      caption={`${counted(total, "view")}, in the time zone ${timeZone}. Most were on ${day} from ${hourName(most.hour)} on: ${most.count.toLocaleString()}. Only Bidsketch reports views.`}
      chart={(id) => <ViewsChart counts={counts} label="Views by weekday and hour" describedBy={id} />}
    >
      <ViewsTable counts={counts} />
    </Chart>
  );
}
