//! Objects by their node ids.

use serde_json::{Value, json};

use crate::harness::{Service, assert_bad_user_input};

async fn sample_service() -> Service {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":"a:b","name":"P"}"#).await.accepted();
    service.arcsite("drawing.created", r#"{"id":2,"project_id":"a:b"}"#).await.accepted();
    service.arcsite("proposal.status_changed", r#"{"proposal_id":3,"status":"PENDING"}"#).await.accepted();
    service.arcsite("proposal.payment.received", r#"{"proposal_id":3,"paid_amount":4}"#).await.accepted();
    service.bidsketch("client_created", r#"{"id":4}"#).await.accepted();
    service.bidsketch("proposal_created", r#"{"id":3}"#).await.accepted();
    service.bidsketch("proposal_eaten", r#"{"id":3}"#).await.accepted();
    service.post("/webhooks/arcsite", "wrong").await.receipt().quarantined();
    service
}

const NODES: [(&str, &str); 14] = [
    ("project:a:b", "Project"),
    ("drawing:2", "Drawing"),
    ("client:4", "Client"),
    ("proposal:arcsite:3", "Proposal"),
    ("proposal:bidsketch:3", "Proposal"),
    ("payment:4", "Payment"),
    ("delivery:1", "Delivery"),
    ("delivery:8", "Delivery"),
    ("event:1", "ProjectEvent"),
    ("event:2", "DrawingEvent"),
    ("event:3", "ProposalEvent"),
    ("event:4", "ProposalEvent"),
    ("event:5", "ClientEvent"),
    ("event:7", "UnrecognizedEvent"),
];

#[tokio::test]
async fn node_of_every_type_is_found_by_its_id() {
    let service = sample_service().await;
    let mut expected = Vec::new();
    for (id, of_type) in NODES {
        let data =
            service.query_with("query ($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": id })).await;
        assert_eq!(data["node"], json!({ "__typename": of_type, "id": id }));
        expected.push(data["node"].clone());
    }
    // An unknown id gives null in its place. A repeated id gives its node twice.
    let mut ids: Vec<&str> = NODES.iter().map(|(id, _)| *id).collect();
    for missing in ["project:1", "drawing:3", "client:1", "proposal:arcsite:4", "payment:3", "delivery:9", "event:8"] {
        ids.insert(3, missing);
        expected.insert(3, Value::Null);
        let data = service.query(&format!("{{ node(id: {missing:?}) {{ id }} }}")).await;
        assert_eq!(data["node"], Value::Null, "{missing}");
    }
    ids.push(ids[0]);
    expected.push(expected[0].clone());
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let data = service.query_with(query, json!({ "ids": ids })).await;
    assert_eq!(data["nodes"], json!(expected));
    assert_eq!(service.query_with(query, json!({ "ids": [] })).await["nodes"], json!([]));
    service.stop().await;
}

/// `nodes` accepts every `id` that a query returns.
#[tokio::test]
async fn node_id_of_every_object_leads_back_to_it() {
    let service = sample_service().await;
    let data = service
        .query(
            "{ events { nodes { id deliveries { id } ... on ProposalEvent { proposal { id payments { id } } payment { id } } } }
               projects { nodes { id drawings { nodes { id } } } } clients { nodes { id } } proposals { nodes { id } }
               quarantinedDeliveries { nodes { id } } }",
        )
        .await;
    let mut ids = Vec::new();
    collect_ids(&data, &mut ids);
    assert!(ids.len() > 25, "{ids:?}");
    let data = service.query_with("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ids })).await;
    let found: Vec<&Value> = data["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
    assert_eq!(json!(found), json!(ids));
    service.stop().await;
}

fn collect_ids(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            ids.extend(fields.get("id").map(|id| id.as_str().unwrap().to_owned()));
            fields.values().for_each(|value| collect_ids(value, ids));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_ids(value, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn node_id_of_a_wrong_form_is_an_error_that_shows_the_right_one() {
    let service = sample_service().await;
    for id in [
        "",
        "1",
        "project",
        "project:",
        "Project:1",
        "widget:1",
        "proposal:3",
        "proposal:hubspot:3",
        "event:x",
        "event:0",
        "event:-1",
        "event:042",
        "event:+1",
        "event:99999999999999999999",
        "delivery:1.0",
        "payment:",
        "cHJvamVjdDox",
    ] {
        for query in
            ["query ($id: ID!) { node(id: $id) { id } }", "query ($id: ID!) { nodes(ids: [\"event:1\", $id]) { id } }"]
        {
            let mut answer = service.graphql(query, json!({ "id": id })).await.json();
            let error = answer["errors"][0].take();
            for form in ["project:36029621652695040", "proposal:bidsketch:11051955", "event:42"] {
                assert_bad_user_input(&error, form);
            }
            assert!(error["message"].as_str().unwrap().contains(&format!("{id:?}")), "it shows the wrong id: {error}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn nodes_with_over_a_hundred_ids_is_refused() {
    let service = sample_service().await;
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let data = service.query_with(query, json!({ "ids": vec!["event:1"; 100] })).await;
    assert_eq!(data["nodes"], json!(vec![json!({ "id": "event:1" }); 100]));
    let answer = service.graphql(query, json!({ "ids": vec!["event:1"; 101] })).await.json();
    assert_bad_user_input(&answer["errors"][0], "at most 100 ids, it has 101");
    service.stop().await;
}

#[tokio::test]
async fn object_is_found_by_its_vendor_id() {
    let service = sample_service().await;
    let data = service
        .query(
            r#"{ project(vendorId: "a:b") { id } drawing(vendorId: "2") { id } client(vendorId: "4") { id }
                arcsite: proposal(provider: ARCSITE, vendorId: "3") { id }
                bidsketch: proposal(provider: BIDSKETCH, vendorId: "3") { id }
                none: project(vendorId: "1") { id } blank: project(vendorId: "") { id }
                gone: proposal(provider: ARCSITE, vendorId: "") { id } long: client(vendorId: "99999999999999999999999") { id } }"#,
        )
        .await;
    assert_eq!(
        data,
        json!({
            "project": { "id": "project:a:b" }, "drawing": { "id": "drawing:2" }, "client": { "id": "client:4" },
            "arcsite": { "id": "proposal:arcsite:3" }, "bidsketch": { "id": "proposal:bidsketch:3" },
            "none": null, "blank": null, "gone": null, "long": null,
        })
    );
    service.stop().await;
}
