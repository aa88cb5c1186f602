import { useEffect, useRef, useState } from "react";
import { Link, useSearchParams } from "wouter";
import { Header } from "../../app/header";
import { useKeys } from "../../app/keys";
import { OpenAsQuery } from "../../app/open-as-query";
import { useApi } from "../../app/use-api";
import { idText } from "../../events/subject";
import { providers, statuses } from "../../events/words";
import {
  ProposalListDocument,
  type ProposalListQuery,
  type ProposalListQueryVariables,
  type ProposalOrder,
} from "../../gql/graphql";
import type { EventRow } from "../../live/feeds";
import { useRefetchOn } from "../../live/use-feed";
import { useQuarter } from "../../ui/clock";
import { counted, money } from "../../ui/format";
import {
  Badge,
  Button,
  Card,
  Failure,
  Field,
  inputClass,
  Notice,
  Outdated,
  Skeleton,
  selectClass,
  Time,
} from "../../ui/ui";
import { parseFilter } from "./filter";
import { followUps, isFollowUp } from "./follow-up";
import styles from "./proposals.module.css";

type Proposal = ProposalListQuery["proposals"]["nodes"][number];

const orders: Record<string, { label: string; order: ProposalOrder }> = {
  newest: { label: "Last event", order: { field: "LAST_EVENT_AT", direction: "DESC" } },
  total: { label: "Amount", order: { field: "TOTAL", direction: "DESC" } },
  name: { label: "Name", order: { field: "NAME", direction: "ASC" } },
};

const concerns = ({ __typename }: EventRow) => __typename === "ProposalEvent";

/** The proposals of both vendors, as they are now. */
export function ProposalsPage() {
  const [parameters, setParameters] = useSearchParams();
  const set = (name: string, value: string) =>
    setParameters(
      (current) => {
        const next = new URLSearchParams(current);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: name === "name" },
    );
  const [status, vendor, name, followUp = ""] = ["status", "vendor", "name", "follow-up"].map(
    (key) => parameters.get(key) ?? "",
  );
  const order = Object.hasOwn(orders, parameters.get("order") ?? "") ? (parameters.get("order") ?? "newest") : "newest";
  const { filter, words } = parseFilter(parameters, useQuarter());
  const variables: ProposalListQueryVariables = { filter, orderBy: orders[order]?.order ?? null, first: 50 };
  const search = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => search.current?.focus(), x: () => setParameters({}) });
  useEffect(() => {
    document.title = "Proposals · bidarc";
  }, []);
  return (
    <div className={styles.page}>
      <Header title="Proposals" />
      <search className={styles.bar} aria-label="Filters">
        <Field label="Name">
          <input
            ref={search}
            type="search"
            className={inputClass}
            value={name}
            onChange={({ target }) => set("name", target.value)}
          />
        </Field>
        <Field label="Follow-up">
          <select className={selectClass} value={followUp} onChange={({ target }) => set("follow-up", target.value)}>
            <option value="">All</option>
            {Object.entries(followUps).map(([key, label]) => (
              <option key={key} value={key}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Status">
          <select
            className={selectClass}
            value={isFollowUp(followUp) ? "" : status}
            disabled={isFollowUp(followUp)}
            onChange={({ target }) => set("status", target.value)}
          >
            <option value="">All</option>
            {Object.entries(statuses).map(([key, { label }]) => (
              <option key={key} value={key.toLowerCase()}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Vendor">
          <select className={selectClass} value={vendor} onChange={({ target }) => set("vendor", target.value)}>
            <option value="">Both</option>
            {Object.entries(providers).map(([key, label]) => (
              <option key={key} value={key.toLowerCase()}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Order">
          <select className={selectClass} value={order} onChange={({ target }) => set("order", target.value)}>
            {Object.entries(orders).map(([key, { label }]) => (
              <option key={key} value={key}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <OpenAsQuery document={ProposalListDocument} variables={variables} />
      </search>
      <Card>
        <List key={JSON.stringify(variables)} variables={variables} words={words} onClear={() => setParameters({})} />
      </Card>
    </div>
  );
}

interface ListProps {
  variables: ProposalListQueryVariables;
  /** The filter in words. */
  words: readonly string[];
  onClear: () => void;
}

/** A proposal that fell behind in the order since its page was fetched is on a later one too. */
function without(proposals: readonly Proposal[], removed: readonly Proposal[]): readonly Proposal[] {
  const ids = new Set(removed.map(({ id }) => id));
  return proposals.filter(({ id }) => !ids.has(id));
}

function List({ variables, words, onClear }: ListProps) {
  const [after, setAfter] = useState<string | null>(null);
  const [earlier, setEarlier] = useState<readonly Proposal[]>([]);
  const [hasChanged, setChanged] = useState(false);
  const { data, isCurrent, error, isFetching, refetch } = useApi(ProposalListDocument, { ...variables, after });
  // A proposal that changes may move to another page, so only a list of one page is fetched again by itself.
  useRefetchOn(concerns, () => (after === null ? refetch() : setChanged(true)));
  const page = isCurrent ? data?.proposals : undefined;
  if (!page && earlier.length === 0) {
    return error ? <Failure error={error} retry={refetch} /> : <Skeleton rows={10} />;
  }
  const proposals = page ? [...without(earlier, page.nodes), ...page.nodes] : earlier;
  const restart = () => {
    setChanged(false);
    setEarlier([]);
    setAfter(null);
  };
  if (proposals.length === 0) {
    return words.length > 0 ? (
      <Notice title="No proposal matches">
        <Button onClick={onClear}>Clear the filter</Button>
      </Notice>
    ) : (
      <Notice title="There are no proposals yet">
        <p>A proposal appears here with its first event. The page Hooks has the URLs that the vendors need.</p>
        <Link href="/hooks">Hooks</Link>
      </Notice>
    );
  }
  return (
    <>
      {hasChanged && (
        <p className={styles.more}>
          <Button onClick={restart}>Show what changed</Button>
        </p>
      )}
      {page && <Outdated error={error} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={styles.scroll} tabIndex={0} aria-label="Proposals">
        <table className={styles.table}>
          <caption className={styles.soft}>
            {[...(data ? [counted(data.proposals.totalCount, "proposal")] : []), ...words].join(" · ")}
          </caption>
          <thead>
            <tr>
              <th scope="col">Proposal</th>
              <th scope="col" className={styles.wide}>
                Who
              </th>
              <th scope="col">Status</th>
              <th scope="col" className={styles.number}>
                Amount
              </th>
              <th scope="col" className={`${styles.number} ${styles.wide}`}>
                Paid
              </th>
              <th scope="col" className={styles.wide}>
                Last event
              </th>
            </tr>
          </thead>
          <tbody>
            {proposals.map((proposal) => (
              <tr key={proposal.id}>
                <td>
                  <Link href={`/proposals/${idText(proposal.id)}`}>{proposal.name || idText(proposal.id)}</Link>{" "}
                  <span className={styles.vendor}>{providers[proposal.provider]}</span>
                </td>
                <td className={styles.wide}>{proposal.customerName}</td>
                <td>
                  {proposal.status && (
                    <Badge tone={statuses[proposal.status].tone}>{statuses[proposal.status].label}</Badge>
                  )}
                </td>
                <td className={styles.number}>{proposal.total && money(proposal.total, proposal.currency)}</td>
                <td className={`${styles.number} ${styles.wide}`}>
                  {proposal.paidTotal &&
                    !/^[0.]+$/.test(proposal.paidTotal) &&
                    money(proposal.paidTotal, proposal.currency)}
                </td>
                <td className={styles.wide}>
                  <Time at={proposal.lastEventAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {error && !page ? (
        <Failure error={error} retry={refetch} />
      ) : (
        (!page || page.pageInfo.hasNextPage) && (
          <p className={styles.more}>
            <Button
              disabled={isFetching}
              onClick={() => {
                setEarlier(proposals);
                setAfter(page?.pageInfo.endCursor ?? null);
              }}
            >
              More
            </Button>
          </p>
        )
      )}
    </>
  );
}
