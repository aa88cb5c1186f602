//! A subscription and the query `events` with the same filter return the same events. The service
//! filters a subscription in memory and a query in the database.

use serde_json::Value;
use simulator::office::{Office, every_event};

use crate::harness::{Service, Subscription};

/// The filters in GraphQL syntax, with ids that occur.
fn filters(project: &str, drawing: &str, client: &str, proposal: &str) -> Vec<String> {
    vec![
        "{}".to_owned(),
        "{ provider: [ARCSITE] }".to_owned(),
        "{ provider: [BIDSKETCH, ARCSITE] }".to_owned(),
        "{ provider: [] }".to_owned(),
        "{ kind: [PROPOSAL_SENT, PROPOSAL_VIEWED, PROJECT_CREATED] }".to_owned(),
        "{ kind: [] }".to_owned(),
        format!("{{ projectId: {project:?} }}"),
        format!("{{ drawingId: {drawing:?} }}"),
        format!("{{ clientId: {client:?} }}"),
        format!("{{ proposalId: {proposal:?} }}"),
        format!(
            "{{ proposalId: {proposal:?}, kind: [PROPOSAL_CREATED, PROPOSAL_SENT, PROPOSAL_VIEWED, PROPOSAL_ACCEPTED, PROPOSAL_DECLINED] }}"
        ),
        "{ status: [ACCEPTED, LOST] }".to_owned(),
        "{ kindNot: [PROPOSAL_VIEWED, PROJECT_CREATED, DRAWING_CREATED] }".to_owned(),
        "{ kind: [PROPOSAL_SENT, PROPOSAL_VIEWED], kindNot: [PROPOSAL_SENT] }".to_owned(),
        "{ kindNot: [] }".to_owned(),
        "{ vendorType: [\"proposal_viewed\", \"project.created\"] }".to_owned(),
        // The payload of a project, and the name of a type, which is not in the payload.
        "{ payloadContains: \"job_number\" }".to_owned(),
        "{ payloadContains: \"proposal_accepted_or_\" }".to_owned(),
        "{ payloadContains: \"JOB_NUMBER\" }".to_owned(),
        "{ redelivered: false, kind: [PROJECT_CREATED, CLIENT_CREATED] }".to_owned(),
        "{ receivedFrom: \"2001-01-01T00:00:00Z\" }".to_owned(),
        "{ receivedFrom: \"2101-01-01T00:00:00Z\" }".to_owned(),
        "{ receivedBefore: \"2101-01-01T00:00:00Z\" }".to_owned(),
        "{ receivedBefore: \"2001-01-01T00:00:00Z\" }".to_owned(),
    ]
}

fn ids(nodes: &Value) -> Vec<String> {
    nodes.as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filtered_subscription_gets_the_events_of_the_filtered_query() {
    let hooks: Vec<_> = every_event(3)
        .into_iter()
        .chain(Office::new(5, simulator::clock::now()).into_hooks(simulator::clock::now).take(150))
        .collect();
    // A first service shows which ids occur.
    let rehearsal = Service::open().await;
    for hook in &hooks {
        rehearsal.deliver(hook).await;
    }
    let known = rehearsal
        .query("{ projects(first: 1) { nodes { id } } drawings(first: 1) { nodes { id } } clients(first: 1) { nodes { id } } proposals(first: 1, filter: { provider: [BIDSKETCH] }) { nodes { id } } }")
        .await;
    rehearsal.stop().await;
    let id = |list: &str| known[list]["nodes"][0]["id"].as_str().unwrap().to_owned();
    let filters = filters(&id("projects"), &id("drawings"), &id("clients"), &id("proposals"));

    let service = Service::open().await;
    let head = service.head().await;
    let mut live: Vec<(String, Subscription)> = Vec::new();
    for filter in &filters {
        let query = format!("subscription {{ events(filter: {filter}, after: {head:?}) {{ id }} }}");
        live.push((filter.clone(), service.subscribe(&query).await));
    }
    for hook in &hooks {
        service.deliver(hook).await;
    }
    let mut non_empty = 0;
    for (filter, mut subscription) in live {
        let mut history = Vec::new();
        let mut after = "null".to_owned();
        loop {
            let query = format!(
                "{{ events(filter: {filter}, first: 100, after: {after}) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
            );
            let page = service.query(&query).await["events"].take();
            history.extend(ids(&page["nodes"]));
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].to_string();
        }
        history.reverse();
        for expected in &history {
            assert_eq!(subscription.next().await["events"]["id"], *expected, "{filter}");
        }
        non_empty += usize::from(!history.is_empty());
        subscription.complete().await;
    }
    assert_eq!(non_empty, filters.len() - 6, "six filters match no event");
    service.stop().await;
}

/// Only the subscription `proposalEvents` filters by status. It has no matching query.
#[tokio::test]
async fn status_filter_matches_the_status_of_the_event() {
    let service = Service::open().await;
    let mut accepted = service
        .subscribe("subscription { proposalEvents(filter: { status: [ACCEPTED, LOST] }) { id status kind } }")
        .await;
    let mut expected = Vec::new();
    let mut all = service.subscribe("subscription { events { id } }").await;
    for hook in every_event(9) {
        service.deliver(&hook).await;
    }
    for event in service.log("id ... on ProposalEvent { status }").await {
        all.next().await;
        if event["status"] == "ACCEPTED" || event["status"] == "LOST" {
            expected.push(event["id"].clone());
        }
    }
    assert!(expected.len() > 1);
    for id in expected {
        assert_eq!(accepted.next().await["proposalEvents"]["id"], id);
    }
    accepted.complete().await;
    all.complete().await;
    service.stop().await;
}
