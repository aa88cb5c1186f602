import { serviceUrl } from "../../base";
import { Copied, Notice } from "../../ui/ui";

const sample = `curl ${serviceUrl("webhooks/bidsketch")} -H 'Content-Type: application/json' -d '{
  "event": "client_created",
  "data": {
    "id": 4815162342,
    "name": "Quarry Lane Dental",
    "created_at": "2026-03-02T09:30:00-05:00",
    "updated_at": "2026-03-02T09:30:00-05:00"
  }
}'`;

/** Nothing has arrived yet. */
export function FirstSteps() {
  return (
    <Notice title="Waiting for the first delivery">
      <p>
        This page shows it as soon as it arrives. Give each vendor its URL: ArcSite under Company Settings, Webhooks,
        with a signing secret that you also set as <code>arcsite.signing_secrets</code>.
      </p>
      <Copied text={serviceUrl("webhooks/arcsite")} />
      <p>
        For Bidsketch, set <code>bidsketch.api_token</code> and let bidarc create the webhooks on the page Hooks. To see
        the page live now, run the simulator, or send one delivery in open mode:
      </p>
      <Copied text="cargo run -p simulator" />
      <Copied text={sample} />
    </Notice>
  );
}
