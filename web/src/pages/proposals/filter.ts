// The filter of the list of proposals, as the URL has it: a link is a view.
import { providers, statuses } from "../../events/words";
import type { ProposalFilter, ProposalStatus, Provider } from "../../gql/graphql";
import { followUpFilter, followUps, isFollowUp } from "./follow-up";

/** The service's filter at a moment, and its conditions in words. */
export function parseFilter(
  parameters: URLSearchParams,
  moment: number,
): { filter: ProposalFilter; words: readonly string[] } {
  const [status, vendor, name, followUp] = ["status", "vendor", "name", "follow-up"].map(
    (key) => parameters.get(key) ?? "",
  ) as [string, string, string, string];
  const filter: ProposalFilter = {};
  const words: string[] = [];
  if (isFollowUp(followUp)) {
    Object.assign(filter, followUpFilter(followUp, moment));
    words.push(followUps[followUp]);
  } else if (Object.hasOwn(statuses, status.toUpperCase())) {
    const known = status.toUpperCase() as ProposalStatus;
    filter.status = [known];
    words.push(statuses[known].label);
  }
  if (Object.hasOwn(providers, vendor.toUpperCase())) {
    const known = vendor.toUpperCase() as Provider;
    filter.provider = [known];
    words.push(providers[known]);
  }
  if (name) {
    filter.nameContains = name.slice(0, 200);
    words.push(`“${name}” in the name`);
  }
  return { filter, words };
}
