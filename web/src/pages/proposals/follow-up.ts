// Proposals that wait for their client. Bidsketch alone reports views, so they are all of Bidsketch.
import type { ProposalFilter } from "../../gql/graphql";

const HOUR = 3600_000;
const NOT_VIEWED_MILLISECONDS = 48 * HOUR;
const NOT_ANSWERED_MILLISECONDS = 7 * 24 * HOUR;

export const followUps = {
  "not-viewed": "Sent, not viewed for 48 hours",
  "not-answered": "Viewed, not answered for 7 days",
} as const;

export type FollowUp = keyof typeof followUps;

export const isFollowUp = (text: string): text is FollowUp => Object.hasOwn(followUps, text);

/** The proposals that are due for a follow-up at a moment. */
export function followUpFilter(name: FollowUp, moment: number): ProposalFilter {
  const ago = (milliseconds: number) => new Date(moment - milliseconds).toISOString();
  if (name === "not-viewed") return { status: ["PENDING"], viewed: false, sentBefore: ago(NOT_VIEWED_MILLISECONDS) };
  // A proposal that was sent again is pending once more.
  return { status: ["PENDING", "VIEWED"], viewedBefore: ago(NOT_ANSWERED_MILLISECONDS) };
}
