import { type ReactNode, useState } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { Link } from "wouter";
import { useKeys } from "../app/keys";
import { OpenAsQuery } from "../app/open-as-query";
import { useApi } from "../app/use-api";
import { serviceUrl } from "../base";
import { Files } from "../files/files";
import type { EventDetailsQuery } from "../gql/graphql";
import { EventBeforeDocument, EventDetailsDocument } from "../gql/graphql";
import { counted, money } from "../ui/format";
import {
  Badge,
  Button,
  CopyButton,
  copyText,
  Failure,
  Mark,
  monoClass,
  Notice,
  Outdated,
  Skeleton,
  Time,
} from "../ui/ui";
import styles from "./details.module.css";
import { changes, isScalar, type Json, payloadOf, scalarText } from "./payload";
import { StatusChange } from "./status-change";
import { idText, sameSubject, subjectOf } from "./subject";
import { kindWords, providers } from "./words";

type Details = Extract<NonNullable<EventDetailsQuery["node"]>, { deliveries: unknown }>;

const headings = { 1: "h1", 2: "h2" } as const;

interface EventDetailsProps {
  id: string;
  /** The level of its heading: 1 on a page of its own. */
  level: 1 | 2;
  tools?: ReactNode;
}

/** All about one event: the facts, the payload, and the deliveries that brought it. */
export function EventDetails({ id, level, tools }: EventDetailsProps) {
  const { data, error, refetch } = useApi(EventDetailsDocument, { id });
  const node = data?.node;
  if (error && !node) return <Failure error={error} retry={refetch} />;
  if (!data) return <Skeleton />;
  if (!node || !("deliveries" in node)) {
    return (
      <Notice title={`There is no event ${idText(id)}`}>
        <p>The link may be of another database.</p>
        <Link href="/events">All events</Link>
      </Notice>
    );
  }
  return (
    <>
      <Outdated error={error} />
      <Loaded key={node.id} event={node} level={level} tools={tools} />
    </>
  );
}

function Loaded({ event, level, tools }: { event: Details; level: 1 | 2; tools: ReactNode }) {
  const Heading = headings[level];
  const { label, tone } = kindWords(event.kind);
  const { who, what, amount } = subjectOf(event);
  const status = event.__typename === "ProposalEvent" ? event.status : undefined;
  const body = event.deliveries[0]?.body ?? "";
  const link = serviceUrl(`events/${idText(event.id)}`);
  useKeys({
    y: () => void copyText(event.id),
    c: () => void copyText(body),
    l: () => void copyText(link),
  });
  return (
    <article className={styles.details} data-testid="details">
      <header className={styles.head}>
        <Heading>
          <Mark tone={tone}>{label}</Mark>
        </Heading>
        <div className={styles.tools}>
          <CopyButton text={link} label="Copy link" />
          <CopyButton text={curlOf(event.provider, body)} label="Copy as curl" />
          <OpenAsQuery document={EventDetailsDocument} variables={{ id: event.id }} />
          {tools}
        </div>
      </header>
      <dl className={styles.facts}>
        <dt>Id</dt>
        <dd className={monoClass}>{event.id}</dd>
        <dt>Vendor</dt>
        <dd>
          {providers[event.provider]}{" "}
          {event.vendorTypes.map((type) => (
            <span key={type}>
              <Link
                className={monoClass}
                href={`/events?${new URLSearchParams({ "vendor-type": type })}`}
                title={`All events of the type ${type}`}
              >
                {type}
              </Link>{" "}
            </span>
          ))}
        </dd>
        <dt>Received</dt>
        <dd>
          <Time at={event.receivedAt} />
        </dd>
        {event.occurredAt && (
          <>
            <dt>Happened</dt>
            <dd>
              <Time at={event.occurredAt} /> <span className={styles.soft}>by the vendor's clock</span>
            </dd>
          </>
        )}
        {who && (
          <>
            <dt>Who</dt>
            <dd>{who.name}</dd>
          </>
        )}
        {what && (
          <>
            <dt>About</dt>
            <dd>
              {what.id.startsWith("proposal:") ? (
                <Link href={`/proposals/${idText(what.id)}`}>{what.name || what.id}</Link>
              ) : (
                what.name || what.id
              )}{" "}
              <span className={monoClass}>{idText(what.id)}</span>
            </dd>
          </>
        )}
        {amount && (
          <>
            <dt>Amount</dt>
            <dd>{money(amount.amount, amount.currency)}</dd>
          </>
        )}
        {status && (
          <>
            <dt>Status</dt>
            <dd>
              <StatusChange event={event} />
            </dd>
          </>
        )}
      </dl>
      <EventFiles event={event} />
      <Payload event={event} body={body} />
      <Deliveries event={event} />
    </article>
  );
}

/** The files that the event names, as they were at it. */
function EventFiles({ event }: { event: Details }) {
  const drawing = event.__typename === "DrawingEvent" ? event : undefined;
  const proposal = event.__typename === "ProposalEvent" ? event : undefined;
  const files = [drawing?.png, drawing?.pdf, ...(proposal?.files ?? [])].filter((file) => !!file);
  if (files.length === 0) return null;
  const owner = drawing
    ? { drawingId: drawing.drawing.id }
    : proposal?.proposal
      ? { proposalId: proposal.proposal.id }
      : undefined;
  return (
    <section className={styles.files} aria-label="Files">
      <h3>Files</h3>
      <Files ids={files.map(({ id }) => id)} owner={owner} />
    </section>
  );
}

/** The delivery again. ArcSite's signature and the secret of a path are not known here. */
function curlOf(provider: Details["provider"], body: string): string {
  const url = serviceUrl(`webhooks/${provider.toLowerCase()}`);
  return `curl ${url} -H 'Content-Type: application/json' --data-binary '${body.replaceAll("'", `'\\''`)}'`;
}

function Payload({ event, body }: { event: Details; body: string }) {
  const data = payloadOf(body);
  return (
    <section aria-label="Payload">
      <Tabs defaultSelectedKey={data === undefined ? "raw" : "tree"}>
        <TabList className={styles.tabs ?? ""} aria-label="Payload">
          <Tab id="tree" className={styles.tab ?? ""} isDisabled={data === undefined}>
            Payload
          </Tab>
          <Tab id="raw" className={styles.tab ?? ""}>
            Raw
          </Tab>
          <Tab id="changes" className={styles.tab ?? ""} isDisabled={data === undefined}>
            Changes
          </Tab>
        </TabList>
        <TabPanel id="tree" className={styles.payload ?? ""}>
          <Tree value={data} />
        </TabPanel>
        <TabPanel id="raw" className={styles.payload ?? ""}>
          <pre>{body}</pre>
        </TabPanel>
        <TabPanel id="changes" className={styles.payload ?? ""}>
          <Changes event={event} data={data} />
        </TabPanel>
      </Tabs>
    </section>
  );
}

function Scalar({ value }: { value: Json }) {
  const kind =
    typeof value === "string" ? styles.string : typeof value === "object" && value ? styles.number : styles.word;
  return <span className={kind}>{scalarText(value)}</span>;
}

function Tree({ value }: { value: Json }) {
  if (isScalar(value)) return <Scalar value={value} />;
  const entries = Object.entries(value as object) as [string, Json][];
  return (
    <ul className={styles.tree}>
      {entries.map(([name, item]) => (
        <li key={name}>
          {isScalar(item) ? (
            <>
              <span className={styles.name}>{name}: </span>
              <Scalar value={item} />
            </>
          ) : (
            <details open>
              <summary>
                <span className={styles.name}>
                  {name} {Array.isArray(item) ? `[${item.length}]` : ""}
                </span>
              </summary>
              <Tree value={item} />
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}

/** What this payload changed against that of the event before, of the same subject. */
function Changes({ event, data }: { event: Details; data: Json }) {
  const filter = sameSubject(event);
  const variables = { filter: filter ?? null, after: event.cursor };
  const before = useApi(EventBeforeDocument, variables, { pause: !filter });
  if (!filter) return <p className={styles.soft}>This event names no project, drawing, client or proposal.</p>;
  if (before.error && !before.data) return <Failure error={before.error} retry={before.refetch} />;
  if (!before.data) return <Skeleton rows={3} />;
  const [previous] = before.data.events.nodes;
  if (!previous) return <p className={styles.soft}>This is the first event of its subject.</p>;
  const old = payloadOf(previous.deliveryConnection.nodes[0]?.body ?? "");
  const changed = changes(old, data);
  return (
    <>
      <Outdated error={before.error} />
      <p className={styles.soft}>
        Against <Link href={`/events/${idText(previous.id)}`}>{kindWords(previous.kind).label}</Link>,{" "}
        <Time at={previous.receivedAt} />:{" "}
        {changed.length === 0 ? "the payloads are equal." : counted(changed.length, "change")}
      </p>
      {changed.length > 0 && (
        <table className={styles.changes}>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {changed.map(({ path, before: was, after }) => (
              <tr key={path}>
                <td className={monoClass}>{path}</td>
                <td className={monoClass}>{was === undefined ? "" : <del>{was}</del>}</td>
                <td className={monoClass}>{after === undefined ? "" : <ins>{after}</ins>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

const outcomes = {
  ACCEPTED: { label: "made this event", tone: "good" },
  REDELIVERY: { label: "redelivery", tone: "plain" },
  QUARANTINED: { label: "in quarantine", tone: "warn" },
} as const;

/** When an equal delivery is the same event. */
const windows = {
  UNLIMITED: "An equal delivery is the same event, however late it comes.",
  UNTIL_SUBJECT_CHANGES:
    "An equal delivery soon after is the same event, as long as nothing else has happened to its subject.",
  SINCE_LAST_DELIVERY: "An equal delivery within minutes is the same event; a later one is another.",
} as const;

function Deliveries({ event }: { event: Details }) {
  const [shown, setShown] = useState<string>();
  const redeliveries = event.deliveries.filter(({ outcome }) => outcome === "REDELIVERY").length;
  return (
    <section className={styles.deliveries} aria-label="Deliveries">
      <h3>{counted(event.deliveries.length, "delivery").replace("deliverys", "deliveries")}</h3>
      {redeliveries > 0 && (
        <p className={styles.soft}>
          The vendor sent the same {kindWords(event.kind).label.toLowerCase()}{" "}
          {redeliveries === 1 ? "again" : `${redeliveries} more times`}. A redelivery changes nothing.
        </p>
      )}
      <p className={styles.soft}>{windows[event.dedupWindow]}</p>
      <ol className={styles.deliveries}>
        {event.deliveries.map((delivery) => (
          <li key={delivery.id}>
            <Time at={delivery.receivedAt} />
            <Badge tone={outcomes[delivery.outcome].tone}>{outcomes[delivery.outcome].label}</Badge>
            <span className={monoClass}>{delivery.vendorType}</span>
            <span className={styles.soft}>
              {delivery.id}, {delivery.sizeBytes.toLocaleString()} bytes
            </span>
            <Button
              look="quiet"
              aria-expanded={shown === delivery.id}
              onClick={() => setShown(shown === delivery.id ? undefined : delivery.id)}
            >
              As it came
            </Button>
            {delivery.detail && <span className={styles.soft}>{delivery.detail}</span>}
            {shown === delivery.id && (
              <div className={styles.payload}>
                <pre>{delivery.headers.map(({ name, value }) => `${name}: ${value}\n`).join("")}</pre>
                <pre>{delivery.body}</pre>
              </div>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
