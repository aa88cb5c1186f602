import type { EventFilter, EventRowFragment } from "../gql/graphql";

interface Named {
  id: string;
  name: string;
}

/** What a row tells: who it is for, what it is about, and the amount. */
export interface Subject {
  who: Named | { id?: undefined; name: string } | undefined;
  what: Named | undefined;
  amount: { amount: string; currency: string | null } | undefined;
}

export function subjectOf(event: EventRowFragment): Subject {
  switch (event.__typename) {
    case "ProjectEvent": {
      const customer = event.project.customer?.name;
      return { who: customer ? { name: customer } : undefined, what: event.project, amount: undefined };
    }
    case "DrawingEvent": {
      const customer = event.drawing.project?.customer?.name;
      return { who: customer ? { name: customer } : undefined, what: event.drawing, amount: undefined };
    }
    case "ClientEvent":
      return { who: event.client, what: undefined, amount: undefined };
    case "ProposalEvent": {
      const { proposal, payment } = event;
      const currency = proposal?.currency ?? null;
      const amount = payment?.amount ?? proposal?.total;
      const who = proposal?.client ?? (proposal?.customerName ? { name: proposal.customerName } : undefined);
      return {
        who: who && who.name !== "" ? who : undefined,
        what: proposal ?? event.ofDrawing ?? event.ofProject ?? undefined,
        amount: amount ? { amount, currency } : undefined,
      };
    }
    default:
      return { who: undefined, what: undefined, amount: undefined };
  }
}

/** The filter for the events of the same subject. None for an event that names none. */
export function sameSubject(event: EventRowFragment): EventFilter | undefined {
  switch (event.__typename) {
    case "ProjectEvent":
      return { projectId: event.project.id };
    case "DrawingEvent":
      return { drawingId: event.drawing.id };
    case "ClientEvent":
      return { clientId: event.client.id };
    case "ProposalEvent":
      if (event.proposal) return { proposalId: event.proposal.id };
      if (event.ofDrawing) return { drawingId: event.ofDrawing.id };
      return event.ofProject ? { projectId: event.ofProject.id } : undefined;
    default:
      return undefined;
  }
}

/** A node id without its type: "42" of "event:42". */
export function idText(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}
