//! The schema: the committed file equals the served schema, every element has a description, and
//! the contract with clients holds.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Launch, Service};

#[tokio::test]
async fn schema_committed_equals_the_printed_one() {
    let directory = tempfile::tempdir().unwrap();
    let printed = Launch::new(directory.path()).arg("schema").run().await;
    assert!(printed.status.success(), "{printed:?}");
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert!(printed.stdout == committed, "update it: bidarc schema > schema.graphql");
}

async fn types(service: &Service) -> Vec<Value> {
    let query = "{ __schema { types { kind name description specifiedByURL
        fields(includeDeprecated: true) { name description args { ...input } type { ...type } }
        inputFields { ...input } enumValues(includeDeprecated: true) { name description } interfaces { name } } } }
        fragment input on __InputValue { name description defaultValue type { ...type } }
        fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
    let mut data = service.query(query).await;
    let mut types = Vec::new();
    for element in data["__schema"]["types"].as_array_mut().unwrap() {
        if !element["name"].as_str().unwrap().starts_with("__") {
            types.push(element.take());
        }
    }
    types
}

fn list<'a>(element: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    element[key].as_array().into_iter().flatten()
}

fn name(element: &Value) -> &str {
    element["name"].as_str().unwrap()
}

#[tokio::test]
async fn schema_describes_every_element() {
    let service = Service::open().await;
    let mut undescribed = Vec::new();
    let mut check = |path: String, element: &Value| {
        if element["description"].as_str().is_none_or(|text| text.trim().len() < 4) {
            undescribed.push(path);
        }
    };
    for element in &types(&service).await {
        let built_in = ["Int", "Float", "String", "Boolean", "ID"].contains(&name(element));
        if !built_in {
            check(name(element).to_owned(), element);
        }
        for part in list(element, "fields").chain(list(element, "inputFields")).chain(list(element, "enumValues")) {
            let path = format!("{}.{}", name(element), name(part));
            for argument in list(part, "args") {
                check(format!("{path}({})", name(argument)), argument);
            }
            check(path, part);
        }
    }
    assert_eq!(undescribed, [""; 0]);
    service.stop().await;
}

fn type_of(element: &Value) -> String {
    match element["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", type_of(&element["ofType"])),
        "LIST" => format!("[{}]", type_of(&element["ofType"])),
        _ => name(element).to_owned(),
    }
}

/// `name(argument: Type = default, …): Type` with sorted arguments.
fn signature(field: &Value) -> String {
    let mut arguments: Vec<String> = list(field, "args").map(input).collect();
    arguments.sort();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    format!("{}{arguments}: {}", name(field), type_of(&field["type"]))
}

fn input(element: &Value) -> String {
    let default = element["defaultValue"].as_str().map(|default| format!(" = {default}")).unwrap_or_default();
    format!("{}: {}{default}", name(element), type_of(&element["type"]))
}

/// The contract with clients: names, arguments, nullability. `PAGE` is short for the paging
/// arguments, `EVENT` for the fields of every event. The schema may have more, but nothing here may
/// go or change.
const CONTRACT: &str = "
Query.node(id: ID!): Node
Query.nodes(ids: [ID!]!): [Node]!
Query.projects(PAGE, filter: ProjectFilter, orderBy: ProjectOrder): ProjectConnection!
Query.drawings(PAGE, filter: DrawingFilter, orderBy: DrawingOrder): DrawingConnection!
Query.clients(PAGE, filter: ClientFilter, orderBy: ClientOrder): ClientConnection!
Query.proposals(PAGE, filter: ProposalFilter, orderBy: ProposalOrder): ProposalConnection!
Query.events(PAGE, filter: EventFilter): EventConnection!
Query.headCursor: String!
Query.eventFeed(after: String, filter: EventFilter, pageSize: Int = 100): EventFeedPage!
Query.project(vendorId: String!): Project
Query.drawing(vendorId: String!): Drawing
Query.client(vendorId: String!): Client
Query.proposal(provider: Provider!, vendorId: String!): Proposal
Query.quarantinedDeliveries(PAGE): DeliveryConnection!
Query.bidsketchWebhooks(state: [BidsketchWebhookState!]): [BidsketchWebhook!]!
Query.bidsketchWebhookConnection(PAGE, state: [BidsketchWebhookState!]): BidsketchWebhookConnection!
Query.search(first: Int = 10, text: String!): [SearchResult!]!
Query.deliveries(PAGE, filter: DeliveryFilter): DeliveryConnection!
Query.payments(PAGE, filter: PaymentFilter): PaymentConnection!
Query.service: Service!
Service { version: String!; name: String; publicUrl: Url; openMode: Boolean!; timeZone: String!; defaultCurrency: String; vendors: [VendorStatus!]! }
StoredFile { id: ID!; kind: FileKind!; name: String; state: FileState!; url: Url; thumbnailUrl: Url; sizeBytes: Int; sha256: String; contentType: String; storedAt: DateTime; expiresAt: DateTime; problem: String }
DrawingVersion { event: Event!; pdf: StoredFile; png: StoredFile }
FileKind { PDF; PNG }
FileState { PENDING; STORED; EXPIRED; REFUSED; FAILED }
Mutation.retryFile(input: RetryFileInput!): RetryFilePayload!
RetryFileInput { drawingId: ID; proposalId: ID }
RetryFilePayload { files: [StoredFile!]!; userErrors: [UserError!]! }
VendorStatus { provider: Provider!; configured: Boolean!; hookUrl: String; apiConfigured: Boolean!; lastDeliveryAt: DateTime; lastRefusedAt: DateTime; quarantined: Int! }
BidsketchWebhook { deliveryCount: Int! }
DedupWindow { UNLIMITED; UNTIL_SUBJECT_CHANGES; SINCE_LAST_DELIVERY }
DeliveryFilter { outcome: [DeliveryOutcome!]; reason: [QuarantineReason!]; provider: [Provider!]; receivedFrom: DateTime; receivedBefore: DateTime }
PaymentFilter { proposalId: ID; projectId: ID; paidFrom: DateTime; paidBefore: DateTime; amountAtLeast: Decimal }
BidsketchWebhookConnection { edges: [BidsketchWebhookEdge!]!; nodes: [BidsketchWebhook!]!; pageInfo: PageInfo!; totalCount: Int! }
Subscription.events(after: String, filter: EventFilter): Event!
Subscription.proposalEvents(after: String, filter: ProposalEventFilter): ProposalEvent!
Subscription.eventFeed(after: String, filter: EventFilter, pageSize: Int = 100): EventFeedPage!
Mutation.releaseQuarantinedDelivery(input: ReleaseQuarantinedDeliveryInput!): ReleaseQuarantinedDeliveryPayload!
Node { id: ID! }
Event { EVENT }
ProjectEvent { EVENT; project: Project! }
DrawingEvent { EVENT; drawing: Drawing!; pdf: StoredFile; png: StoredFile }
ClientEvent { EVENT; client: Client! }
ProposalEvent { EVENT; proposal: Proposal; proposalVendorId: String; drawing: Drawing; project: Project; status: ProposalStatus; payment: Payment; files: [StoredFile!]! }
UnrecognizedEvent { EVENT }
EventFeedPage { events: [Event!]!; cursor: String!; caughtUp: Boolean! }
Delivery { id: ID!; provider: Provider!; vendorType: String; receivedAt: DateTime!; outcome: DeliveryOutcome!; quarantineReason: QuarantineReason; detail: String; body: String!; bodyBase64: String!; sizeBytes: Int!; headers: [Header!]!; event: Event }
Header { name: String!; value: String! }
Project { id: ID!; vendorId: String!; name: String!; jobNumber: String; tags: [String!]!; customer: Customer; workSiteAddress: Address; salesRep: SalesRep; createdAt: DateTime; updatedAt: DateTime; firstSeenAt: DateTime!; lastEventAt: DateTime!; drawings(PAGE): DrawingConnection!; proposals(PAGE): ProposalConnection!; events(PAGE): EventConnection! }
Customer { name: String; phone: String; secondPhone: String; email: String; secondEmail: String; address: Address }
Address { street: String; city: String; county: String; state: String; zipCode: String }
SalesRep { name: String; email: String; phone: String }
Drawing { id: ID!; vendorId: String!; name: String!; tags: [String!]!; project: Project; projectVendorId: String; pdfUrl: Url; pngUrl: Url; pdf: StoredFile; png: StoredFile; versions: [DrawingVersion!]!; firstSeenAt: DateTime!; lastEventAt: DateTime!; events(PAGE): EventConnection! }
Client { id: ID!; vendorId: String!; name: String!; firstName: String; lastName: String; email: String; phone: String; altPhone: String; website: String; addressFieldOne: String; addressFieldTwo: String; city: String; state: String; postalZip: String; country: String; notes: String; otherContact: Contact; url: Url; appUrl: Url; createdAt: DateTime; updatedAt: DateTime; firstSeenAt: DateTime!; lastEventAt: DateTime!; proposals(PAGE): ProposalConnection!; events(PAGE): EventConnection! }
Contact { firstName: String; lastName: String; email: String; phone: String }
Proposal { id: ID!; provider: Provider!; vendorId: String!; name: String!; description: String; status: ProposalStatus; vendorStatus: String; isDraft: Boolean; owner: String; currency: String; total: Decimal; oneTimeFees: Decimal; monthlyFees: Decimal; yearlyFees: Decimal; tax: Decimal; tax2: Decimal; discount: Decimal; customerName: String; customerEmail: String; client: Client; clientVendorId: String; project: Project; projectVendorId: String; payments: [Payment!]!; files: [StoredFile!]!; paidTotal: Decimal; url: Url; appUrl: Url; createdAt: DateTime; updatedAt: DateTime; firstSeenAt: DateTime!; lastEventAt: DateTime!; events(PAGE): EventConnection! }
Payment { id: ID!; amount: Decimal!; channel: String!; method: String; paidAt: DateTime; paidOn: Date; receivedAt: DateTime!; proposal: Proposal; proposalVendorId: String! }
EventConnection { edges: [EventEdge!]!; nodes: [Event!]!; pageInfo: PageInfo!; totalCount: Int! }
ProjectConnection { edges: [ProjectEdge!]!; nodes: [Project!]!; pageInfo: PageInfo!; totalCount: Int! }
DrawingConnection { edges: [DrawingEdge!]!; nodes: [Drawing!]!; pageInfo: PageInfo!; totalCount: Int! }
ClientConnection { edges: [ClientEdge!]!; nodes: [Client!]!; pageInfo: PageInfo!; totalCount: Int! }
ProposalConnection { edges: [ProposalEdge!]!; nodes: [Proposal!]!; pageInfo: PageInfo!; totalCount: Int! }
DeliveryConnection { edges: [DeliveryEdge!]!; nodes: [Delivery!]!; pageInfo: PageInfo!; totalCount: Int! }
EventEdge { cursor: String!; node: Event! }
ProjectEdge { cursor: String!; node: Project! }
PageInfo { hasNextPage: Boolean!; hasPreviousPage: Boolean!; startCursor: String; endCursor: String }
EventFilter { provider: [Provider!]; kind: [EventKind!]; proposalId: ID; clientId: ID; projectId: ID; drawingId: ID; receivedFrom: DateTime; receivedBefore: DateTime }
ProposalEventFilter { provider: [Provider!]; kind: [EventKind!]; status: [ProposalStatus!]; proposalId: ID; clientId: ID; projectId: ID }
ProjectFilter { nameContains: String; jobNumber: String; tag: String; createdFrom: DateTime; createdBefore: DateTime }
DrawingFilter { nameContains: String; projectId: ID; tag: String }
ClientFilter { nameContains: String; email: String; city: String }
ProposalFilter { provider: [Provider!]; status: [ProposalStatus!]; nameContains: String; clientId: ID; projectId: ID; totalAtLeast: Decimal }
ProjectOrder { field: ProjectOrderField!; direction: OrderDirection! }
DrawingOrder { field: DrawingOrderField!; direction: OrderDirection! }
ClientOrder { field: ClientOrderField!; direction: OrderDirection! }
ProposalOrder { field: ProposalOrderField!; direction: OrderDirection! }
ReleaseQuarantinedDeliveryInput { id: ID! }
ReleaseQuarantinedDeliveryPayload { delivery: Delivery; event: Event; userErrors: [UserError!]! }
UserError { code: UserErrorCode!; message: String!; field: [String!] }
Provider { ARCSITE; BIDSKETCH }
EventKind { PROJECT_CREATED; PROJECT_UPDATED; DRAWING_CREATED; DRAWING_UPDATED; CLIENT_CREATED; PROPOSAL_CREATED; PROPOSAL_SENT; PROPOSAL_VIEWED; PROPOSAL_ACCEPTED; PROPOSAL_DECLINED; PROPOSAL_STATUS_CHANGED; PROPOSAL_SIGNED; PROPOSAL_APPROVED; PROPOSAL_PAYMENT_RECEIVED; UNRECOGNIZED }
ProposalStatus { DRAFT; PENDING; VIEWED; ACCEPTED; DECLINED; VOID; LOST }
DeliveryOutcome { ACCEPTED; REDELIVERY; QUARANTINED }
QuarantineReason { NOT_JSON; NOT_AN_ENVELOPE; INVALID_PAYLOAD; STALE_SIGNATURE }
OrderDirection { ASC; DESC }
ProjectOrderField { CREATED_AT; UPDATED_AT; NAME; LAST_EVENT_AT }
DrawingOrderField { NAME; LAST_EVENT_AT; FIRST_SEEN_AT }
ClientOrderField { CREATED_AT; UPDATED_AT; NAME; LAST_EVENT_AT }
ProposalOrderField { CREATED_AT; UPDATED_AT; NAME; TOTAL; LAST_EVENT_AT }
UserErrorCode { ALREADY_RELEASED; NOT_FOUND; STILL_INVALID }
DateTime { }
Date { }
Decimal { }
JSON { }
Url { }
";

const EVENT: &str = "id: ID!; cursor: String!; provider: Provider!; kind: EventKind!; vendorTypes: [String!]!; \
                     occurredAt: DateTime; receivedAt: DateTime!; payload: JSON!; payloadText: String!; dedupWindow: DedupWindow!; deliveries: [Delivery!]!";

#[tokio::test]
async fn schema_keeps_the_contract_with_clients() {
    let service = Service::open().await;
    let mut served: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let types = types(&service).await;
    for element in &types {
        let mut parts: Vec<String> = list(element, "fields").map(signature).collect();
        parts.extend(list(element, "inputFields").map(input));
        parts.extend(list(element, "enumValues").map(|value| name(value).to_owned()));
        served.insert(name(element).to_owned(), parts);
    }
    let mut missing = Vec::new();
    for line in CONTRACT.lines().filter(|line| !line.is_empty()) {
        let (type_name, parts) = match line.split_once(" { ") {
            Some((type_name, parts)) => (type_name, parts.trim_end_matches('}').replace("EVENT }", EVENT)),
            None => line.split_once('.').map(|(type_name, part)| (type_name, part.to_owned())).unwrap(),
        };
        let parts = if parts.starts_with("EVENT") { parts.replacen("EVENT", EVENT, 1) } else { parts };
        let Some(served) = served.get(type_name) else {
            missing.push(type_name.to_owned());
            continue;
        };
        for part in parts.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let part = expand(part);
            if !served.contains(&part) {
                missing.push(format!("{type_name}.{part}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    // An object with an id is a node, and one named `…Event` is an event.
    for element in types
        .iter()
        .filter(|element| list(element, "fields").any(|field| name(field) == "id") && element["kind"] == "OBJECT")
    {
        assert!(list(element, "interfaces").any(|interface| name(interface) == "Node"), "{element}");
        let is_event = name(element).ends_with("Event");
        assert_eq!(list(element, "interfaces").any(|interface| name(interface) == "Event"), is_event, "{element}");
    }
    service.stop().await;
}

/// Expands `PAGE` and sorts the arguments.
fn expand(part: &str) -> String {
    let Some((head, rest)) = part.split_once("(PAGE") else { return part.to_owned() };
    let (others, suffix) = rest.split_once(')').unwrap();
    let mut arguments = vec!["after: String", "before: String", "first: Int", "last: Int"];
    arguments.extend(others.split(',').map(str::trim).filter(|other| !other.is_empty()));
    arguments.sort_unstable();
    format!("{head}({}){suffix}", arguments.join(", "))
}
