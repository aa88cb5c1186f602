import type { EventRow } from "../live/feeds";
import { Badge, Hidden } from "../ui/ui";
import styles from "./status-change.module.css";
import { statuses } from "./words";

/** The status that an event gave its proposal, and the one before it if that was another. */
export function StatusChange({ event }: { event: EventRow }) {
  if (event.__typename !== "ProposalEvent" || !event.status) return null;
  const { status, previousStatus } = event;
  return (
    <>
      {previousStatus && previousStatus !== status && (
        <span className={styles.before}>
          {statuses[previousStatus].label} <Hidden>to </Hidden>
          <span aria-hidden="true">→</span>
        </span>
      )}{" "}
      <Badge tone={statuses[status].tone}>{statuses[status].label}</Badge>
    </>
  );
}
