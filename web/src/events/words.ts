import type { EventKind, ProposalStatus, Provider } from "../gql/graphql";

export type Tone = "good" | "bad" | "warn" | "info" | "plain";

/** The words of the office, and the colour of the mark beside them. */
export const kinds: Record<EventKind, { label: string; tone: Tone }> = {
  PROPOSAL_CREATED: { label: "Proposal created", tone: "plain" },
  PROPOSAL_SENT: { label: "Proposal sent", tone: "info" },
  PROPOSAL_VIEWED: { label: "Proposal viewed", tone: "info" },
  PROPOSAL_ACCEPTED: { label: "Proposal accepted", tone: "good" },
  PROPOSAL_DECLINED: { label: "Proposal declined", tone: "bad" },
  PROPOSAL_STATUS_CHANGED: { label: "Status changed", tone: "plain" },
  PROPOSAL_SIGNED: { label: "Proposal signed", tone: "good" },
  PROPOSAL_APPROVED: { label: "Proposal approved", tone: "good" },
  PROPOSAL_PAYMENT_RECEIVED: { label: "Payment received", tone: "good" },
  PROJECT_CREATED: { label: "Project created", tone: "plain" },
  PROJECT_UPDATED: { label: "Project updated", tone: "plain" },
  DRAWING_CREATED: { label: "Drawing created", tone: "plain" },
  DRAWING_UPDATED: { label: "Drawing updated", tone: "plain" },
  CLIENT_CREATED: { label: "Client created", tone: "plain" },
  UNRECOGNIZED: { label: "Unknown type", tone: "warn" },
};

export const providers: Record<Provider, string> = { ARCSITE: "ArcSite", BIDSKETCH: "Bidsketch" };

export const statuses: Record<ProposalStatus, { label: string; tone: Tone }> = {
  DRAFT: { label: "Draft", tone: "plain" },
  PENDING: { label: "Pending", tone: "info" },
  VIEWED: { label: "Viewed", tone: "info" },
  ACCEPTED: { label: "Accepted", tone: "good" },
  DECLINED: { label: "Declined", tone: "bad" },
  VOID: { label: "Void", tone: "plain" },
  LOST: { label: "Lost", tone: "bad" },
};

/** What tells whether an event is an acceptance. Only events of proposals have a status. */
export interface Occurrence {
  kind: string;
  status?: ProposalStatus | null;
  previousStatus?: ProposalStatus | null;
}

/** Whether an event says that a proposal was won. ArcSite may say it twice: by the status, and by an approval. */
export function isAccepted({ kind, status, previousStatus }: Occurrence): boolean {
  if (kind === "PROPOSAL_ACCEPTED") return true;
  const isOfArcSite = kind === "PROPOSAL_STATUS_CHANGED" || kind === "PROPOSAL_APPROVED";
  return isOfArcSite && status === "ACCEPTED" && previousStatus !== "ACCEPTED";
}

/** A kind that a later version of the service added has no words here. */
export function kindWords(kind: string): { label: string; tone: Tone } {
  return kinds[kind as EventKind] ?? { label: kind.toLowerCase().replaceAll("_", " "), tone: "plain" };
}
