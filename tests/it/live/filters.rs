//! What comes live is what the history gives afterwards, filter by filter: one is judged in memory, the other by the database.

use serde_json::Value;
use simulator::office::{Office, every_event};

use crate::harness::{Service, Subscription};

/// The filters, as they stand in a document, with ids that occur.
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
async fn what_comes_live_is_what_the_history_gives() {
    let hooks: Vec<_> = every_event(3)
        .into_iter()
        .chain(Office::new(5, simulator::clock::now()).into_hooks(simulator::clock::now).take(150))
        .collect();
    // A first service tells which ids occur.
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
    let mut some = 0;
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
        some += usize::from(!history.is_empty());
        subscription.complete().await;
    }
    assert_eq!(some, filters.len() - 4, "all but four filters let something through");
    service.stop().await;
}

/// Statuses are a filter of `proposalEvents` alone, which has no history of its own.
#[tokio::test]
async fn statuses_are_as_the_event_gave_them() {
    let service = Service::open().await;
    let mut accepted = service
        .subscribe("subscription { proposalEvents(filter: { status: [ACCEPTED, LOST] }) { id status kind } }")
        .await;
    let mut expected = Vec::new();
    let mut wait = service.subscribe("subscription { events { id } }").await;
    for hook in every_event(9) {
        service.deliver(&hook).await;
    }
    for event in service.log("id ... on ProposalEvent { status }").await {
        wait.next().await;
        if event["status"] == "ACCEPTED" || event["status"] == "LOST" {
            expected.push(event["id"].clone());
        }
    }
    assert!(expected.len() > 1);
    for id in expected {
        assert_eq!(accepted.next().await["proposalEvents"]["id"], id);
    }
    accepted.complete().await;
    wait.complete().await;
    service.stop().await;
}
