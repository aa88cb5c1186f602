// What a first visit finds in its tabs. Those of later visits are the visitor's own.
const latest = `# Ctrl+Enter runs the operation at the cursor.
# Ctrl+M lets Tab leave the editor, and takes it back.
#
# The latest events, with their current objects.
query Latest {
  headCursor
  events(first: 10) {
    nodes {
      id
      kind
      provider
      receivedAt
      vendorTypes
      ... on ProjectEvent { project { name jobNumber customer { name } } }
      ... on DrawingEvent { drawing { name project { name } } }
      ... on ClientEvent { client { name email } }
      ... on ProposalEvent { status proposal { name status total currency } payment { amount } }
    }
  }
}
`;

const live = `# New events as they arrive. The panel "Log" on the left
# keeps the results, and resumes after any of them.
subscription Live($after: String) {
  events(after: $after) {
    id
    cursor
    kind
    provider
    receivedAt
    ... on ProjectEvent { project { name } }
    ... on DrawingEvent { drawing { name } }
    ... on ClientEvent { client { name } }
    ... on ProposalEvent { status proposal { name total currency } payment { amount } }
  }
}
`;

const pipeline = `# How many proposals have each status, and the largest open ones.
query Pipeline {
  draft: proposals(filter: { status: [DRAFT] }) { totalCount }
  pending: proposals(filter: { status: [PENDING] }) { totalCount }
  viewed: proposals(filter: { status: [VIEWED] }) { totalCount }
  accepted: proposals(filter: { status: [ACCEPTED] }) { totalCount }
  declined: proposals(filter: { status: [DECLINED] }) { totalCount }
  open: proposals(
    first: 10
    filter: { status: [PENDING, VIEWED] }
    orderBy: { field: TOTAL, direction: DESC }
  ) {
    nodes { id provider name customerName total currency status lastEventAt }
  }
}
`;

const webhooks = `# The webhooks at Bidsketch that bidarc manages.
query Webhooks {
  bidsketchWebhooks { id event state endpoint lastError lastDeliveryAt }
}

# Creates those that are missing. Only this answer has
# the complete endpoints. It needs a key with the scope manage.
mutation CreateAllWebhooks {
  createAllBidsketchWebhooks {
    bidsketchWebhooks { id event state endpoint }
    userErrors { code message }
  }
}
`;

export const defaultTabs = [latest, live, pipeline, webhooks].map((query) => ({ query }));
