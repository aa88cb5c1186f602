import type { CombinedError } from "@urql/core";
import { useEffect, useState } from "react";
import { useMutation } from "urql";
import { Link } from "wouter";
import { isUnauthenticated } from "../../app/api";
import { Header } from "../../app/header";
import { OpenAsQuery } from "../../app/open-as-query";
import { usePreferences, useZone } from "../../app/preferences";
import { requireSignIn } from "../../app/session";
import { isSilent } from "../../app/silence";
import { useApi } from "../../app/use-api";
import { useReadOnly } from "../../app/viewer";
import { serviceUrl } from "../../base";
import { providers, type Tone } from "../../events/words";
import {
  type BidsketchEvent,
  type BidsketchWebhookState,
  BidsketchWebhooksDocument,
  CreateAllWebhooksDocument,
  CreateWebhookDocument,
  DeleteWebhookDocument,
  type Provider,
  VendorsDocument,
  type VendorsQuery,
  type WebhookRowFragment,
} from "../../gql/graphql";
import { useRefetchOn } from "../../live/use-feed";
import {
  Badge,
  Button,
  Card,
  Copied,
  Dialog,
  Failure,
  Field,
  inputClass,
  monoClass,
  Outdated,
  Problems,
  Skeleton,
  Time,
} from "../../ui/ui";
import styles from "./hooks.module.css";

const events: Record<BidsketchEvent, string> = {
  CLIENT_CREATED: "Client created",
  PROPOSAL_CREATED: "Proposal created",
  PROPOSAL_SENT: "Proposal sent",
  PROPOSAL_VIEWED: "Proposal viewed",
  PROPOSAL_ACCEPTED: "Proposal accepted",
  PROPOSAL_DECLINED: "Proposal declined",
  PROPOSAL_ACCEPTED_OR_DECLINED: "Accepted or declined",
};

const states: Record<BidsketchWebhookState, { label: string; tone: Tone }> = {
  PENDING: { label: "Pending", tone: "info" },
  ACTIVE: { label: "Active", tone: "good" },
  DELETING: { label: "Deleting", tone: "warn" },
  DELETED: { label: "Deleted", tone: "plain" },
  FAILED: { label: "Failed", tone: "bad" },
};

const always = () => true;

/** How each vendor reaches this service. */
export function HooksPage() {
  const { data, error, refetch } = useApi(VendorsDocument, {});
  useRefetchOn(always, refetch);
  useEffect(() => {
    document.title = "Hooks · bidarc";
  }, []);
  if (!data) {
    return (
      <div className={styles.page}>
        <Header title="Hooks" />
        {error ? <Failure error={error} retry={refetch} /> : <Skeleton rows={10} />}
      </div>
    );
  }
  const vendor = (provider: Provider) => data.service.vendors.find((other) => other.provider === provider);
  const [arcsite, bidsketch] = [vendor("ARCSITE"), vendor("BIDSKETCH")];
  return (
    <div className={styles.page}>
      <Header title="Hooks" />
      <Outdated error={error} />
      <Card className={styles.vendor}>
        <header>
          <h2>ArcSite</h2>
          <Heard vendor={arcsite} />
        </header>
        <Silent vendor={arcsite} />
        <p className={styles.soft}>
          {arcsite?.configured
            ? "Add this URL in ArcSite's settings for webhooks."
            : "Add this URL in ArcSite's settings for webhooks, and set its secret as arcsite.signing_secrets. Without it the URL answers in open mode only."}
        </p>
        <HookUrl url={arcsite?.hookUrl ?? serviceUrl("webhooks/arcsite")} setting="arcsite.path_token" />
      </Card>
      <Card className={styles.vendor}>
        <header>
          <h2>Bidsketch</h2>
          <Heard vendor={bidsketch} />
        </header>
        <Silent vendor={bidsketch} />
        {bidsketch?.hookUrl && (
          <>
            <p className={styles.soft}>
              The settings give this URL: webhooks that you make at Bidsketch yourself may send to it.
            </p>
            <HookUrl url={bidsketch.hookUrl} setting="bidsketch.path_token" />
          </>
        )}
        <Webhooks />
      </Card>
    </div>
  );
}

/** A hook URL to copy, or to complete: the service never tells the secret part of one. */
function HookUrl({ url, setting }: { url: string; setting: string }) {
  if (!url.includes("…")) return <Copied text={url} />;
  return (
    <p className={styles.endpoint}>
      <span className={monoClass}>{url}</span> · for … put the value of <code>{setting}</code>
    </p>
  );
}

type Vendor = VendorsQuery["service"]["vendors"][number] | undefined;

const advice: Record<Provider, string> = {
  ARCSITE:
    "Look at ArcSite under Company Settings, Webhooks: the webhook must be on and have the URL below. Then change a project there: it must show up on the page Live.",
  BIDSKETCH:
    "Look at the webhooks below: each must be active; create again those that failed. Then look at one of your proposals as a client does: it must show up on the page Live.",
};

/** That a vendor has delivered nothing for longer than the preferences allow, and what to do. */
function Silent({ vendor }: { vendor: Vendor }) {
  const { silentHours } = usePreferences();
  const zone = useZone();
  if (!vendor?.lastDeliveryAt || !isSilent(vendor, silentHours, Date.now(), zone)) return null;
  const { provider, lastDeliveryAt, lastRefusedAt } = vendor;
  const isRefused = lastRefusedAt !== null && lastRefusedAt > lastDeliveryAt;
  return (
    <div className={styles.silent} role="alert">
      <h3>
        {providers[provider]} has been silent since <Time at={lastDeliveryAt} />
      </h3>
      <p>
        {isRefused
          ? "Something was refused since then: the secret in the settings may not be the vendor's any more, or its URL is wrong. "
          : "A vendor that is silent for longer than usual may have lost its webhook, or there was nothing to tell. "}
        {advice[provider]} The page <Link href="/settings">Settings</Link> has how long is usual.
      </p>
    </div>
  );
}

/** When a vendor last delivered, and when it was last refused. */
function Heard({ vendor }: { vendor: Vendor }) {
  if (!vendor) return null;
  return (
    <p className={styles.soft}>
      {vendor.lastDeliveryAt ? (
        <>
          Last delivery <Time at={vendor.lastDeliveryAt} />
        </>
      ) : (
        "Nothing has arrived yet; this line changes when it does."
      )}
      {vendor.lastRefusedAt && (
        <>
          {" "}
          · last refused <Time at={vendor.lastRefusedAt} />
        </>
      )}
    </p>
  );
}

/** The new webhooks, whose whole URLs are shown, after a mutation answered. The others have `…` in their URLs. */
function withAnswered(shown: readonly WebhookRowFragment[], answered: readonly WebhookRowFragment[]) {
  const isOver = ({ state }: WebhookRowFragment) => state === "DELETING" || state === "DELETED";
  const made = answered.filter((webhook) => !isOver(webhook) && !webhook.endpoint.includes("…"));
  const replaced = [...made, ...answered.filter(isOver)].map(({ event }) => event);
  return [...shown.filter(({ event }) => !replaced.includes(event)), ...made];
}

/** The webhooks at Bidsketch, which the service creates and deletes. */
function Webhooks() {
  const { data, error, refetch } = useApi(BidsketchWebhooksDocument, {});
  useRefetchOn(always, refetch);
  const [, createOne] = useMutation(CreateWebhookDocument);
  const [, createAll] = useMutation(CreateAllWebhooksDocument);
  const [, deleteOne] = useMutation(DeleteWebhookDocument);
  const [problems, setProblems] = useState<string[]>([]);
  const [refused, setRefused] = useState<CombinedError>();
  const [made, setMade] = useState<readonly WebhookRowFragment[]>([]);
  const [doomed, setDoomed] = useState<WebhookRowFragment>();
  const [isBusy, setBusy] = useState(false);
  const forbidden = useReadOnly();
  const known = new Map((data?.bidsketchWebhooks ?? []).map((webhook) => [webhook.event, webhook]));

  /** Shows what a mutation did; the new endpoints are complete only here. */
  const report = (
    result: { error?: CombinedError | undefined },
    webhooks: readonly (WebhookRowFragment | null | undefined)[],
    userErrors: readonly { code: string; message: string }[] | undefined,
  ) => {
    setBusy(false);
    if (isUnauthenticated(result.error)) return requireSignIn();
    setRefused(result.error);
    setProblems((userErrors ?? []).map(({ code, message }) => `${message} (${code})`));
    const answered = webhooks.filter((webhook) => !!webhook);
    setMade((shown) => withAnswered(shown, answered));
    refetch();
  };
  const create = async (event: BidsketchEvent) => {
    setBusy(true);
    const result = await createOne({ event });
    const payload = result.data?.createBidsketchWebhook;
    report(result, [payload?.bidsketchWebhook], payload?.userErrors);
  };
  const createMissing = async () => {
    setBusy(true);
    const result = await createAll({});
    const payload = result.data?.createAllBidsketchWebhooks;
    report(result, payload?.bidsketchWebhooks ?? [], payload?.userErrors);
  };
  const remove = async ({ id }: WebhookRowFragment) => {
    setDoomed(undefined);
    setBusy(true);
    const result = await deleteOne({ id });
    const payload = result.data?.deleteBidsketchWebhook;
    report(result, [payload?.bidsketchWebhook], payload?.userErrors);
  };

  if (error && !data) return <Failure error={error} retry={refetch} />;
  if (!data) return <Skeleton />;
  return (
    <>
      <Outdated error={error} />
      <p className={styles.soft}>
        bidarc creates a webhook for each event at Bidsketch, each with a secret path of its own. It needs{" "}
        <code>bidsketch.api_token</code>, and <code>server.public_url</code> for Bidsketch to reach it.
      </p>
      <div className={styles.tools}>
        <Button
          look="primary"
          disabled={isBusy || known.size === Object.keys(events).length || !!forbidden}
          title={forbidden}
          onClick={createMissing}
        >
          Create all that are missing
        </Button>
        <OpenAsQuery document={BidsketchWebhooksDocument} variables={{}} />
      </div>
      {forbidden && <p className={styles.soft}>{forbidden}</p>}
      {refused && <Failure error={refused} />}
      <Problems of={problems} />
      {made.length > 0 && (
        <section className={styles.made} aria-label="New endpoints">
          <h3>The whole URL of each new webhook. It is shown this once.</h3>
          {made.map((webhook) => (
            <div key={webhook.id}>
              <p className={styles.soft}>{events[webhook.event]}</p>
              <Copied text={webhook.endpoint} />
            </div>
          ))}
          <Button onClick={() => setMade([])}>Done</Button>
        </section>
      )}
      <ul className={styles.list}>
        {(Object.keys(events) as BidsketchEvent[]).map((event) => {
          const webhook = known.get(event);
          return (
            <li key={event} className={styles.hook} data-webhook={event}>
              <strong>{events[event]}</strong>
              {webhook ? (
                <Badge tone={states[webhook.state].tone}>{states[webhook.state].label}</Badge>
              ) : (
                <Badge tone="plain">None</Badge>
              )}
              <span className={styles.endpoint}>
                {webhook && (
                  <>
                    <span className={monoClass}>{webhook.endpoint}</span>{" "}
                    {webhook.lastDeliveryAt && (
                      <>
                        · last delivery <Time at={webhook.lastDeliveryAt} />
                      </>
                    )}
                  </>
                )}
              </span>
              {webhook && webhook.state !== "FAILED" ? (
                <Button
                  look="danger"
                  disabled={isBusy || !!forbidden}
                  title={forbidden}
                  onClick={() => setDoomed(webhook)}
                >
                  Delete…
                </Button>
              ) : (
                <Button disabled={isBusy || !!forbidden} title={forbidden} onClick={() => void create(event)}>
                  {webhook ? "Create again" : "Create"}
                </Button>
              )}
              {webhook?.lastError && <span className={styles.problem}>{webhook.lastError}</span>}
            </li>
          );
        })}
      </ul>
      {doomed && (
        <ConfirmDelete webhook={doomed} onCancel={() => setDoomed(undefined)} onConfirm={() => void remove(doomed)} />
      )}
    </>
  );
}

const word = "delete";

function ConfirmDelete({
  webhook,
  onCancel,
  onConfirm,
}: {
  webhook: WebhookRowFragment;
  onCancel: () => void;
  onConfirm: () => void;
}) {
  const [typed, setTyped] = useState("");
  return (
    <Dialog title={`Delete the webhook “${events[webhook.event]}”?`} onClose={onCancel}>
      <form
        className={styles.confirm}
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === word) onConfirm();
        }}
      >
        <p className={styles.soft}>
          Bidsketch stops sending these events, and its URL answers 410 from now on. What happens until there is a new
          webhook is lost.
        </p>
        <Field label={`Type “${word}” to confirm`}>
          <input
            className={inputClass}
            value={typed}
            onChange={({ target }) => setTyped(target.value)}
            autoComplete="off"
          />
        </Field>
        <div className={styles.tools}>
          <Button type="submit" look="danger" disabled={typed !== word}>
            Delete
          </Button>
          <Button onClick={onCancel}>Keep it</Button>
        </div>
      </form>
    </Dialog>
  );
}
