import { useEffect, useState } from "react";
import { useMutation } from "urql";
import { errorText, isUnauthenticated } from "../../app/api";
import { Header } from "../../app/header";
import { OpenAsQuery } from "../../app/open-as-query";
import { requireSignIn } from "../../app/session";
import { useApi } from "../../app/use-api";
import { useReadOnly } from "../../app/viewer";
import { kindWords, providers } from "../../events/words";
import {
  type DeliveryFilter,
  QuarantineDocument,
  type QuarantineQuery,
  type QuarantineReason,
  ReleaseDocument,
  ReleaseMatchingDocument,
} from "../../gql/graphql";
import { counted } from "../../ui/format";
import {
  Badge,
  Button,
  Card,
  Failure,
  Field,
  monoClass,
  Notice,
  Outdated,
  Skeleton,
  selectClass,
  Time,
} from "../../ui/ui";
import { hexDump } from "./bytes";
import styles from "./quarantine.module.css";

type Delivery = QuarantineQuery["quarantinedDeliveries"]["nodes"][number];

const reasons: Record<QuarantineReason, string> = {
  NOT_JSON: "Not JSON",
  NOT_AN_ENVELOPE: "Not an envelope",
  INVALID_PAYLOAD: "Invalid payload",
  STALE_SIGNATURE: "Old signature",
};

const PAGE_SIZE = 25;

/** What was received and could not become an event. */
export function QuarantinePage() {
  const [after, setAfter] = useState<string | null>(null);
  const { data, error, refetch } = useApi(QuarantineDocument, { first: PAGE_SIZE, after });
  const [, releaseMatching] = useMutation(ReleaseMatchingDocument);
  const [reason, setReason] = useState<QuarantineReason | "">("");
  const [result, setResult] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Quarantine · bidarc";
  }, []);
  const releaseAll = async () => {
    setBusy(true);
    const filter: DeliveryFilter = reason ? { reason: [reason] } : {};
    const { data: done, error: refused } = await releaseMatching({ filter });
    setBusy(false);
    if (isUnauthenticated(refused)) return requireSignIn();
    const payload = done?.releaseQuarantinedDeliveries;
    setResult(
      refused
        ? errorText(refused)
        : `${payload?.released ?? 0} released, ${payload?.stillInvalid ?? 0} still invalid${payload?.remaining ? `, ${payload.remaining} to go: release again` : ""}.`,
    );
    refetch();
  };
  const forbidden = useReadOnly();
  const list = data?.quarantinedDeliveries;
  // The rows of the last page were released.
  if (after && list?.nodes.length === 0) setAfter(null);
  return (
    <div className={styles.page}>
      <Header title="Quarantine" />
      {error && !data && <Failure error={error} retry={refetch} />}
      {!list && !error && <Skeleton />}
      {list && <Outdated error={error} />}
      {list && list.totalCount > 0 && (
        <div className={styles.tools}>
          <Field label="Release those with the reason">
            <select
              className={selectClass}
              value={reason}
              onChange={({ target }) => setReason(target.value as QuarantineReason | "")}
            >
              <option value="">Any</option>
              {Object.entries(reasons).map(([key, label]) => (
                <option key={key} value={key}>
                  {label}
                </option>
              ))}
            </select>
          </Field>
          <Button disabled={isBusy || !!forbidden} title={forbidden} onClick={() => void releaseAll()}>
            Release {reason ? "these" : `all ${list.totalCount}`}
          </Button>
          <OpenAsQuery document={QuarantineDocument} variables={{ first: PAGE_SIZE }} />
        </div>
      )}
      {forbidden && list && list.totalCount > 0 && <p className={styles.soft}>{forbidden}</p>}
      {result && (
        <p className={styles.result} role="status">
          {result}
        </p>
      )}
      {list && (
        <Card>
          {list.totalCount === 0 ? (
            <Notice title="Nothing is in quarantine">
              <p>
                A delivery that bidarc cannot read is answered 200, kept with its bytes, and shown here with the reason.
              </p>
            </Notice>
          ) : (
            <ul>
              {list.nodes.map((delivery) => (
                <Item
                  key={delivery.id}
                  delivery={delivery}
                  onReleased={refetch}
                  onResult={setResult}
                  forbidden={forbidden}
                />
              ))}
            </ul>
          )}
        </Card>
      )}
      {list?.pageInfo.hasNextPage && (
        <Button onClick={() => setAfter(list.pageInfo.endCursor ?? null)}>Older deliveries</Button>
      )}
      {after && <Button onClick={() => setAfter(null)}>Back to the newest</Button>}
    </div>
  );
}

function Item({
  delivery,
  onReleased,
  onResult,
  forbidden,
}: {
  delivery: Delivery;
  onReleased: () => void;
  onResult: (text: string) => void;
  forbidden: string | undefined;
}) {
  const [, release] = useMutation(ReleaseDocument);
  const [problem, setProblem] = useState<string>();
  const [view, setView] = useState<"text" | "hex">();
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    const { data, error } = await release({ id: delivery.id });
    setBusy(false);
    if (isUnauthenticated(error)) return requireSignIn();
    const payload = data?.releaseQuarantinedDelivery;
    const [first] = payload?.userErrors ?? [];
    setProblem(error ? errorText(error) : first && `${first.message} (${first.code})`);
    if (payload?.event) {
      onResult(`${delivery.id} became ${payload.event.id}: ${kindWords(payload.event.kind).label}.`);
      onReleased();
    }
  };
  return (
    <li className={styles.item} data-delivery={delivery.id}>
      <div className={styles.head}>
        <Badge tone="warn">{delivery.quarantineReason ? reasons[delivery.quarantineReason] : "Unknown reason"}</Badge>
        <strong>{providers[delivery.provider]}</strong>
        <span className={monoClass}>{delivery.vendorType}</span>
        <span className={styles.soft}>
          <Time at={delivery.receivedAt} />, {delivery.id}, {counted(delivery.sizeBytes, "byte")}
        </span>
        <Button disabled={isBusy || !!forbidden} title={forbidden} onClick={() => void run()}>
          Release
        </Button>
      </div>
      {delivery.detail && <p>{delivery.detail}</p>}
      {problem && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <div className={styles.bytes}>
        {(["text", "hex"] as const).map((name) => (
          <Button
            key={name}
            look="quiet"
            aria-expanded={view === name}
            onClick={() => setView(view === name ? undefined : name)}
          >
            {name === "text" ? "Text" : "Bytes"}
          </Button>
        ))}
      </div>
      {view && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <pre className={styles.body} tabIndex={0}>
          {view === "text" ? delivery.body : hexDump(delivery.bodyBase64)}
        </pre>
      )}
    </li>
  );
}
