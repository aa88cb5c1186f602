//! Lists without pages: they end after 100 rows, and a connection beside each has the others.

use serde_json::{Value, json};

use crate::harness::{Service, Setup};

const LIST_SIZE_MAX: usize = 100;

/// Walks a connection in pages of 40. Returns the ids of its nodes.
async fn walk(service: &Service, query: &str) -> Vec<Value> {
    let (mut ids, mut after) = (Vec::new(), json!(null));
    loop {
        let data = service.query_with(query, json!({ "after": after })).await;
        let page = &data["node"]["page"];
        assert!(page["nodes"].as_array().unwrap().len() <= 40, "{data}");
        ids.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()));
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], ids.len());
            return ids;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

const PAGE: &str = "nodes { id } totalCount pageInfo { hasNextPage endCursor }";

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_past_a_hundred_are_in_the_connection() {
    let service = Service::open().await;
    for _ in 0..=LIST_SIZE_MAX + 4 {
        drop(service.arcsite("project.created", r#"{"id":1}"#).await);
    }
    let fields = "vendorTypes deliveries { id outcome }";
    let data = service.query(&format!("{{ node(id: \"event:1\") {{ ... on ProjectEvent {{ {fields} }} }} }}")).await;
    let listed = data["node"]["deliveries"].as_array().unwrap();
    assert_eq!(listed.len(), LIST_SIZE_MAX);
    assert_eq!((&listed[0]["outcome"], &listed[1]["outcome"]), (&json!("ACCEPTED"), &json!("REDELIVERY")));
    assert_eq!(data["node"]["vendorTypes"], json!(["project.created"]));
    let query = format!(
        "query ($after: String) {{ node(id: \"event:1\") {{ ... on ProjectEvent {{
           page: deliveryConnection(first: 40, after: $after) {{ {PAGE} }} }} }} }}"
    );
    let ids = walk(&service, &query).await;
    assert_eq!(ids.len(), LIST_SIZE_MAX + 5);
    assert!(listed.iter().zip(&ids).all(|(delivery, id)| delivery["id"] == *id), "the list is the beginning");
    // The same through the interface, from the end.
    let query = "{ events { nodes { deliveryConnection(last: 1) { nodes { id } pageInfo { hasPreviousPage } } } } }";
    let last = &service.query(query).await["events"]["nodes"][0]["deliveryConnection"];
    assert_eq!(last, &json!({ "nodes": [{ "id": ids.last() }], "pageInfo": { "hasPreviousPage": true } }));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_past_a_hundred_are_in_the_connection_and_in_the_total() {
    let service =
        Setup::new().with(|settings| settings.bidsketch.path_token = Some("b".repeat(32).into())).start().await;
    service.arcsite("proposal.status_changed", r#"{"proposal_id":7,"status":"PENDING"}"#).await.accepted();
    for amount in 1..=LIST_SIZE_MAX + 5 {
        let payment = format!(r#"{{"proposal_id":7,"paid_amount":{amount}}}"#);
        service.arcsite("proposal.payment.received", &payment).await.accepted();
    }
    let data = service.query("{ proposals { nodes { id paidTotal payments { id amount } } } }").await;
    let proposal = &data["proposals"]["nodes"][0];
    assert_eq!(proposal["payments"].as_array().unwrap().len(), LIST_SIZE_MAX);
    assert_eq!((&proposal["payments"][0]["amount"], &proposal["paidTotal"]), (&json!("1.00"), &json!("5565.00")));
    let query = format!(
        "query ($after: String) {{ node(id: {}) {{ ... on Proposal {{
           page: paymentConnection(first: 40, after: $after) {{ {PAGE} }} }} }} }}",
        proposal["id"]
    );
    assert_eq!(walk(&service, &query).await.len(), LIST_SIZE_MAX + 5);
    service.stop().await;
}

#[tokio::test]
async fn list_without_pages_counts_a_hundred_rows() {
    let service = Setup::new().with(|settings| settings.graphql.max_complexity = 1000).start().await;
    for query in [
        "{ proposals(first: 10) { nodes { payments { amount } } } }",
        "{ nodes(ids: [\"event:1\", \"event:2\"]) { ... on ProjectEvent { deliveries { a: id b: id c: id d: id e: id } } } }",
        "{ bidsketchWebhooks { a: id b: id c: id d: id e: id f: id g: id h: id i: id j: id } }",
    ] {
        assert_eq!(service.query_error(query).await["extensions"]["code"], "LIMIT_EXCEEDED", "{query}");
    }
    service.query("{ proposals(first: 9) { nodes { payments { amount } } } }").await;
    service.query("{ proposals(first: 40) { nodes { paymentConnection(first: 10) { nodes { amount } } } } }").await;
    service.stop().await;
}
