//! The number of statements of a query: one per level, however many rows a level has.

use tokio::task::JoinSet;

use crate::harness::{Database, Launch, Process, insert_files};

const READS: &str = "bidarc_reads_total";

const LARGE_PAGE: usize = 50;

/// The number of statements of a query. The process serves this test alone, so no other query is
/// counted.
async fn cost(service: &Process, query: &str) -> f64 {
    let before = service.metric(READS).await;
    service.query(query).await;
    service.metric(READS).await - before
}

#[tokio::test(flavor = "multi_thread")]
async fn query_level_of_any_size_costs_one_statement() {
    let database = Database::fresh();
    let folder = database.directory().join("files");
    let launch = Launch::new(database.directory()).env("BIDARC_FILES__STORE", folder.to_str().unwrap());
    let service = launch.serve(0, &database).await;
    let mut posts = JoinSet::new();
    for id in 0..60 {
        let client = (*service).clone();
        posts.spawn(async move {
            client.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
            for (event, data) in [
                ("drawing.created", format!(r#"{{"id":{id},"project_id":{id}}}"#)),
                ("drawing.created", format!(r#"{{"id":1{id},"project_id":{id}}}"#)),
                ("proposal.status_changed", format!(r#"{{"proposal_id":{id},"project_id":{id},"status":"PENDING"}}"#)),
                ("proposal.payment.received", format!(r#"{{"proposal_id":{id},"paid_amount":{id}}}"#)),
            ] {
                drop(client.arcsite(event, &data).await);
            }
        });
    }
    posts.join_all().await;
    insert_files(&database).await;
    assert_eq!(cost(&service, "{ headCursor }").await, 0.0, "the head costs no statement");
    for (levels, selection) in [
        (1.0, "name"),
        (2.0, "drawings(first: 5) { nodes { name } }"),
        (2.0, "a: drawings(first: 5) { nodes { name } } b: drawings(first: 5) { nodes { name } }"),
        (3.0, "drawings(first: 5) { nodes { name } totalCount }"),
        (3.0, "drawings(first: 5) { nodes { name project { name } } }"),
        (3.0, "drawings(first: 5) { nodes { name } } proposals(first: 5) { nodes { name } }"),
        (
            5.0,
            "drawings(first: 5) { nodes { name project { name } } }
             proposals(first: 5) { nodes { name payments { amount } } }",
        ),
        (5.0, "proposals(first: 5) { nodes { paidTotal payments { amount } project { name } } }"),
        (5.0, "proposals(first: 5) { nodes { payments { amount } paymentConnection { totalCount } } }"),
    ] {
        for size in [5, LARGE_PAGE] {
            let query = format!("{{ projects(first: {size}) {{ nodes {{ {selection} }} }} }}");
            assert_eq!(cost(&service, &query).await, levels, "{query}");
        }
    }
    for (levels, query) in [
        (
            2.0,
            "{ events(first: SIZE, filter: { kind: [PROJECT_CREATED] }) { nodes { ... on ProjectEvent { project { name } } } } }",
        ),
        (2.0, "{ events(first: SIZE) { nodes { vendorTypes } } }"),
        (2.0, "{ events(first: SIZE) { nodes { deliveries { id } } } }"),
        (
            4.0,
            "{ events(first: SIZE) { nodes { payload deliveryConnection(first: 2) { nodes { body } totalCount } } } }",
        ),
        (3.0, "{ proposals(first: SIZE) { nodes { project { drawings { nodes { name } } } } } }"),
        (2.0, "{ projects(first: SIZE) { totalCount nodes { id } } }"),
        (3.0, "{ drawings(first: SIZE) { nodes { pdf { state url } png { state thumbnailUrl } } } }"),
        (3.0, "{ drawings(first: SIZE) { nodes { versions { event { kind } pdf { id } png { id } } } } }"),
        (2.0, "{ proposals(first: SIZE) { nodes { files { id url } } } }"),
        (2.0, "{ events(first: SIZE) { nodes { ... on ProposalEvent { files { id } } } } }"),
        (2.0, "{ payments(first: SIZE) { nodes { amount proposal { name } } } }"),
        (1.0, r#"{ deliveries(first: SIZE, filter: { receivedFrom: "2026-01-01T00:00:00Z" }) { nodes { outcome } } }"#),
        // Along the indexes, in the newest rows, and one for each of the types that are found.
        (5.0, r#"{ search(text: "1", first: SIZE) { ... on Node { id } } }"#),
        (
            4.0,
            "{ projects(first: SIZE) { nodes { events(first: 5) { nodes { ... on DrawingEvent { drawing { project { name } } } } } } } }",
        ),
    ] {
        for size in [5, LARGE_PAGE] {
            let query = query.replace("SIZE", &size.to_string());
            assert_eq!(cost(&service, &query).await, levels, "{query}");
        }
    }
    service.stop(&database).await;
}
