import { useCallback, useEffect } from "react";
import { Link, useParams } from "wouter";
import { Header } from "../../app/header";
import { useKeys } from "../../app/keys";
import { OpenAsQuery } from "../../app/open-as-query";
import { useApi } from "../../app/use-api";
import { StatusChange } from "../../events/status-change";
import { idText } from "../../events/subject";
import { kindWords, providers, statuses } from "../../events/words";
import { Files } from "../../files/files";
import { ProposalPageDocument, type ProposalPageQuery } from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { useRefetchOn } from "../../live/use-feed";
import { money } from "../../ui/format";
import {
  Badge,
  buttonClass,
  Card,
  copyText,
  Failure,
  Hidden,
  Mark,
  monoClass,
  Notice,
  Outdated,
  Skeleton,
  Time,
} from "../../ui/ui";
import styles from "./proposals.module.css";

type Proposal = Extract<NonNullable<ProposalPageQuery["node"]>, { payments: unknown }>;

/** One proposal: its money, its payments, and everything that happened to it. */
export function ProposalPage() {
  const params = useParams<{ id: string }>();
  const id = `proposal:${decodeURIComponent(params.id)}`;
  const { data, error, refetch } = useApi(ProposalPageDocument, { id });
  const concerns = useCallback(
    (event: EventRow) => event.__typename === "ProposalEvent" && event.proposal?.id === id,
    [id],
  );
  useRefetchOn(concerns, refetch);
  useKeys({ y: () => void copyText(id), l: () => void copyText(location.href) });
  const node = data?.node;
  const proposal = node && "payments" in node ? node : undefined;
  useEffect(() => {
    document.title = `${proposal?.name || "Proposal"} · bidarc`;
  }, [proposal?.name]);
  return (
    <div className={styles.page}>
      <Link href="/proposals">← Proposals</Link>
      {error && !proposal ? (
        <Failure error={error} retry={refetch} />
      ) : !data ? (
        <Skeleton />
      ) : proposal ? (
        <>
          <Outdated error={error} />
          <Loaded proposal={proposal} />
        </>
      ) : (
        <Notice title="There is no such proposal" />
      )}
    </div>
  );
}

function Loaded({ proposal }: { proposal: Proposal }) {
  const { currency, status } = proposal;
  const amounts = [
    ["One-time fees", proposal.oneTimeFees],
    ["Monthly fees", proposal.monthlyFees],
    ["Yearly fees", proposal.yearlyFees],
    ["Tax", proposal.tax],
    ["Second tax", proposal.tax2],
    ["Discount", proposal.discount],
    ["Paid", proposal.paidTotal],
  ] as const;
  return (
    <>
      <Header
        title={
          <>
            {proposal.name || idText(proposal.id)}{" "}
            {status && <Badge tone={statuses[status].tone}>{statuses[status].label}</Badge>}
          </>
        }
      />
      <div className={styles.columns}>
        <div className={styles.page}>
          <Card className={styles.section}>
            <h2>What happened</h2>
            <ol className={styles.timeline}>
              {proposal.events.nodes.map((event) => (
                <li key={event.id}>
                  <Link href={`/events/${idText(event.id)}`}>
                    <Time at={event.receivedAt} />
                    <Hidden> {kindWords(event.kind).label}, details</Hidden>
                  </Link>
                  <Mark tone={kindWords(event.kind).tone}>{kindWords(event.kind).label}</Mark>
                  <span>
                    {event.__typename === "ProposalEvent" && event.payment ? (
                      money(event.payment.amount, currency)
                    ) : (
                      <StatusChange event={event} />
                    )}
                  </span>
                </li>
              ))}
            </ol>
          </Card>
          {proposal.files.length > 0 && (
            <Card className={styles.section}>
              <h2>Files</h2>
              <Files ids={proposal.files.map(({ id }) => id)} owner={{ proposalId: proposal.id }} />
            </Card>
          )}
        </div>
        <div className={styles.page}>
          <Card className={styles.section}>
            <h2>Money</h2>
            {proposal.total && <p className={styles.total}>{money(proposal.total, currency)}</p>}
            <dl className={styles.facts}>
              {amounts.map(([name, amount]) =>
                amount ? (
                  <div key={name}>
                    <dt>{name}</dt>
                    <dd>{money(amount, currency)}</dd>
                  </div>
                ) : null,
              )}
            </dl>
            {!currency && <p className={styles.soft}>{providers[proposal.provider]} names no currency.</p>}
          </Card>
          {proposal.payments.length > 0 && (
            <Card className={styles.section}>
              <h2>Payments</h2>
              <dl className={styles.facts}>
                {proposal.payments.map((payment) => (
                  <div key={payment.id}>
                    <dt>
                      {payment.paidOn ?? <Time at={payment.paidAt ?? payment.receivedAt} />}{" "}
                      {payment.method ?? payment.channel}
                    </dt>
                    <dd>{money(payment.amount, currency)}</dd>
                  </div>
                ))}
              </dl>
            </Card>
          )}
          <Card className={styles.section}>
            <h2>Facts</h2>
            <dl className={styles.facts}>
              <dt>Vendor</dt>
              <dd>{providers[proposal.provider]}</dd>
              <dt>Vendor's id</dt>
              <dd className={monoClass}>{proposal.vendorId}</dd>
              {proposal.customerName && (
                <>
                  <dt>Who</dt>
                  <dd>
                    {proposal.customerName} {proposal.customerEmail}
                  </dd>
                </>
              )}
              {proposal.project && (
                <>
                  <dt>Project</dt>
                  <dd>
                    <Link href={`/events?project=${idText(proposal.project.id)}`}>
                      {proposal.project.name || proposal.project.id}
                    </Link>
                  </dd>
                </>
              )}
              {proposal.vendorStatus && (
                <>
                  <dt>Vendor's status</dt>
                  <dd className={monoClass}>{proposal.vendorStatus}</dd>
                </>
              )}
              {proposal.owner && (
                <>
                  <dt>Owner</dt>
                  <dd>{proposal.owner}</dd>
                </>
              )}
              <dt>Created</dt>
              <dd>
                <Time at={proposal.createdAt ?? proposal.firstSeenAt} />
              </dd>
              <dt>Last event</dt>
              <dd>
                <Time at={proposal.lastEventAt} />
              </dd>
            </dl>
            <OpenAsQuery document={ProposalPageDocument} variables={{ id: proposal.id }} />
            {proposal.appUrl?.startsWith("https://") && (
              <a className={buttonClass()} href={proposal.appUrl} rel="noreferrer">
                Open at {providers[proposal.provider]}
              </a>
            )}
          </Card>
        </div>
      </div>
    </>
  );
}
