//! Connections below an object: one page for each parent of a level, with the rows of that parent.

use serde_json::{Value, json};

use crate::harness::{Pages, Service, texts};

/// Project 1 has seven drawings and five proposals, project 2 two drawings and a proposal, project
/// 3 nothing; client 1 has four proposals, client 2 none. Proposal 100 is ArcSite's of project 1
/// and Bidsketch's of client 1.
async fn sample_service() -> Service {
    let service = Service::open().await;
    for id in 1..=3 {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"P{id}"}}"#)).await.accepted();
    }
    for number in 0..7 {
        let data = format!(r#"{{"id":1{number},"project_id":1,"name":"D{number}"}}"#);
        service.arcsite("drawing.created", &data).await.accepted();
        if number < 2 {
            service.arcsite("drawing.created", &format!(r#"{{"id":2{number},"project_id":2}}"#)).await.accepted();
        }
    }
    for number in 0..5 {
        let data = format!(
            r#"{{"proposal_id":10{number},"project_id":1,"status":"APPROVED","approved_option":{{"drawing_id":1{number}}}}}"#
        );
        service.arcsite("proposal.status_changed", &data).await.accepted();
    }
    service
        .arcsite("proposal.status_changed", r#"{"proposal_id":200,"project_id":2,"status":"PENDING"}"#)
        .await
        .accepted();
    service.arcsite("proposal.payment.received", r#"{"proposal_id":100,"paid_amount":5}"#).await.accepted();
    service.arcsite("proposal.signed", r#"{"drawing_id":10,"project_id":1}"#).await.accepted();
    for id in 1..=2 {
        service.bidsketch("client_created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
    }
    for number in 0..4 {
        let data = format!(r#"{{"id":10{number},"client":{{"id":1}}}}"#);
        service.bidsketch("proposal_created", &data).await.accepted();
        service.bidsketch("proposal_viewed", &data).await.accepted();
    }
    // Their parents are unknown.
    service.arcsite("drawing.created", r#"{"id":90,"project_id":9}"#).await.accepted();
    service.bidsketch("proposal_created", r#"{"id":900,"client":{"id":9}}"#).await.accepted();
    service
}

const CONNECTIONS: [(&str, &str, usize); 13] = [
    (r#"project(vendorId: "1")"#, "drawings", 7),
    (r#"project(vendorId: "2")"#, "drawings", 2),
    (r#"project(vendorId: "3")"#, "drawings", 0),
    (r#"project(vendorId: "1")"#, "proposals", 5),
    (r#"project(vendorId: "3")"#, "proposals", 0),
    // The project, seven drawings, five proposals, a payment, a signature.
    (r#"project(vendorId: "1")"#, "events", 15),
    (r#"project(vendorId: "3")"#, "events", 1),
    // The drawing, its proposal, the payment on that, the signature.
    (r#"drawing(vendorId: "10")"#, "events", 4),
    (r#"drawing(vendorId: "16")"#, "events", 1),
    (r#"client(vendorId: "1")"#, "proposals", 4),
    (r#"client(vendorId: "2")"#, "proposals", 0),
    (r#"client(vendorId: "1")"#, "events", 9),
    (r#"client(vendorId: "2")"#, "events", 1),
];

#[tokio::test]
async fn nested_connection_is_paged_from_both_ends() {
    let service = sample_service().await;
    for (parent, field, total) in CONNECTIONS {
        let mut whole = Vec::new();
        for size in [1, 3, 100] {
            let nodes = Pages::under(parent, field, "id").both_directions(&service, size).await;
            assert!(whole.is_empty() || whole == nodes, "{parent} {field} in pages of {size}");
            whole = nodes;
        }
        assert_eq!(whole.len(), total, "{parent} {field}");
        let mut data =
            service.query(&format!("{{ it: {parent} {{ {field}(first: 0) {{ totalCount nodes {{ id }} }} }} }}")).await;
        assert_eq!(data["it"][field].take(), json!({ "totalCount": total, "nodes": [] }), "{parent} {field}");
    }
    for (parent, total) in [
        ("proposal(provider: ARCSITE, vendorId: \"100\")", 2),
        ("proposal(provider: BIDSKETCH, vendorId: \"100\")", 2),
        ("proposal(provider: ARCSITE, vendorId: \"200\")", 1),
    ] {
        let events = Pages::under(parent, "events", "id provider").both_directions(&service, 1).await;
        assert_eq!(events.len(), total, "{parent}");
        let provider = if parent.contains("ARCSITE") { "ARCSITE" } else { "BIDSKETCH" };
        assert!(
            events.iter().all(|event| event["provider"] == provider),
            "equal ids of two vendors are two proposals: {events:?}"
        );
    }
    service.stop().await;
}

/// In one query, some parents have a next page and others do not.
#[tokio::test]
async fn nested_page_is_separate_for_each_parent() {
    let service = sample_service().await;
    let order = "orderBy: { field: NAME, direction: ASC }";
    let page = "totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    let first = format!("{{ projects({order}) {{ nodes {{ vendorId drawings(first: 2) {{ {page} }} }} }} }}");
    let data = service.query(&first).await;
    let drawings_of = |data: &Value, index: usize| data["projects"]["nodes"][index]["drawings"].clone();
    let ids = |data: &Value, index: usize| texts(drawings_of(data, index)["nodes"].as_array().unwrap(), "id");
    assert_eq!(ids(&data, 0).len(), 2);
    assert_eq!(ids(&data, 1), ["drawing:21", "drawing:20"]);
    assert_eq!(ids(&data, 2), [""; 0]);
    for (index, total, next) in [(0, 7, true), (1, 2, false), (2, 0, false)] {
        let drawings = drawings_of(&data, index);
        assert_eq!(drawings["totalCount"], total);
        assert_eq!(drawings["pageInfo"]["hasNextPage"], next);
        assert_eq!(drawings["pageInfo"]["hasPreviousPage"], false);
        assert_eq!(drawings["pageInfo"]["endCursor"].is_null(), total == 0);
    }
    // One cursor applies to all parents: each gives its rows after it.
    let after = drawings_of(&data, 0)["pageInfo"]["endCursor"].clone();
    let next = format!("{{ projects({order}) {{ nodes {{ drawings(first: 100, after: {after}) {{ {page} }} }} }} }}");
    let data = service.query(&next).await;
    assert_eq!(ids(&data, 0).len(), 5);
    assert_eq!(drawings_of(&data, 0)["pageInfo"]["hasPreviousPage"], true);
    let last = format!("{{ projects({order}) {{ nodes {{ drawings(last: 1) {{ {page} }} }} }} }}");
    let data = service.query(&last).await;
    assert_eq!((ids(&data, 0), ids(&data, 1)), (vec!["drawing:15".to_owned()], vec!["drawing:20".to_owned()]));
    assert_eq!(drawings_of(&data, 0)["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(drawings_of(&data, 1)["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(drawings_of(&data, 2)["pageInfo"]["hasPreviousPage"], false);
    service.stop().await;
}

#[tokio::test]
async fn nested_page_by_alias_fragment_edge_or_node_is_the_same() {
    let service = sample_service().await;
    let data = service
        .query(
            r#"query ($yes: Boolean = true, $no: Boolean = false) {
                project(vendorId: "1") {
                    newest: drawings(first: 2) { ...page }
                    oldest: drawings(last: 2) { ...page }
                    all: drawings { nodes { vendorId name } totalCount }
                    edged: drawings { edges { node { ...drawing } } }
                    inline: drawings { edges { node { ... on Drawing { vendorId } ... on Node { id } ... { name } } } }
                    both: drawings(first: 1) { nodes { vendorId } edges { node { name: name called: name } } }
                    conditional: drawings(first: 1) {
                        nodes { name @include(if: $yes) vendorId @skip(if: $yes) pdfUrl @include(if: $no) }
                    }
                    twice: drawings(first: 1) { nodes { vendorId } nodes { name } }
                    proposals(first: 1) { nodes { vendorId project { drawings(first: 1) { nodes { name } } } } }
                }
            }
            fragment page on DrawingConnection { nodes { ...drawing } pageInfo { hasNextPage hasPreviousPage } }
            fragment drawing on Drawing { vendorId ...named }
            fragment named on Drawing { name }"#,
        )
        .await;
    let project = &data["project"];
    let all = project["all"]["nodes"].as_array().unwrap();
    assert_eq!(project["all"]["totalCount"], 7);
    assert!(all.iter().all(|drawing| drawing["name"].as_str().unwrap().starts_with('D')), "{all:?}");
    assert_eq!(project["newest"]["nodes"], json!(all[..2]));
    assert_eq!(project["newest"]["pageInfo"], json!({ "hasNextPage": true, "hasPreviousPage": false }));
    assert_eq!(project["oldest"]["nodes"], json!(all[5..]));
    assert_eq!(project["oldest"]["pageInfo"], json!({ "hasNextPage": false, "hasPreviousPage": true }));
    let nodes: Vec<&Value> = project["edged"]["edges"].as_array().unwrap().iter().map(|edge| &edge["node"]).collect();
    assert_eq!(json!(nodes), json!(all));
    for (edge, drawing) in project["inline"]["edges"].as_array().unwrap().iter().zip(all) {
        let id = format!("drawing:{}", drawing["vendorId"].as_str().unwrap());
        assert_eq!(edge["node"], json!({ "vendorId": drawing["vendorId"], "id": id, "name": drawing["name"] }));
    }
    let newest = &all[0];
    assert_eq!(
        project["both"],
        json!({
            "nodes": [{ "vendorId": newest["vendorId"] }],
            "edges": [{ "node": { "name": newest["name"], "called": newest["name"] } }],
        })
    );
    assert_eq!(project["conditional"]["nodes"], json!([{ "name": newest["name"] }]));
    assert_eq!(project["twice"]["nodes"], json!([newest]));
    assert_eq!(project["proposals"]["nodes"][0]["project"]["drawings"]["nodes"], json!([{ "name": newest["name"] }]));
    service.stop().await;
}

/// `X.events` includes the events of everything below X, newest first.
#[tokio::test]
async fn object_events_include_those_of_everything_below_it() {
    let service = sample_service().await;
    let kinds = async |parent: &str| {
        let events = Pages::under(parent, "events", "kind").both_directions(&service, 100).await;
        texts(&events, "kind")
    };
    assert_eq!(
        kinds(r#"drawing(vendorId: "10")"#).await,
        ["PROPOSAL_SIGNED", "PROPOSAL_PAYMENT_RECEIVED", "PROPOSAL_STATUS_CHANGED", "DRAWING_CREATED"]
    );
    assert_eq!(
        kinds(r#"proposal(provider: ARCSITE, vendorId: "100")"#).await,
        ["PROPOSAL_PAYMENT_RECEIVED", "PROPOSAL_STATUS_CHANGED"]
    );
    let of_project = kinds(r#"project(vendorId: "1")"#).await;
    assert_eq!(of_project[..2], ["PROPOSAL_SIGNED", "PROPOSAL_PAYMENT_RECEIVED"]);
    assert_eq!(of_project.last().unwrap(), "PROJECT_CREATED");
    let of_client = kinds(r#"client(vendorId: "1")"#).await;
    assert_eq!(of_client.iter().filter(|kind| *kind == "PROPOSAL_VIEWED").count(), 4);
    assert_eq!(of_client.last().unwrap(), "CLIENT_CREATED");
    for (parent, filter) in [
        (r#"project(vendorId: "1")"#, r#"projectId: "project:1""#),
        (r#"client(vendorId: "1")"#, r#"clientId: "client:1""#),
        (r#"drawing(vendorId: "10")"#, r#"drawingId: "drawing:10""#),
        (r#"proposal(provider: BIDSKETCH, vendorId: "101")"#, r#"proposalId: "proposal:bidsketch:101""#),
    ] {
        let below = Pages::under(parent, "events", "id cursor").both_directions(&service, 100).await;
        let filtered = Pages::of("events", "id cursor")
            .with(&format!("filter: {{ {filter} }}"))
            .both_directions(&service, 100)
            .await;
        assert_eq!(below, filtered, "{parent}");
    }
    service.stop().await;
}

/// The id is served before the object exists.
#[tokio::test]
async fn link_to_an_unseen_object_is_null() {
    let service = sample_service().await;
    let data = service
        .query(
            r#"{ drawing(vendorId: "90") { project { name } projectVendorId }
                proposal(provider: BIDSKETCH, vendorId: "900") { client { name } clientVendorId project { name } }
                project(vendorId: "9") { name } }"#,
        )
        .await;
    assert_eq!(
        data,
        json!({
            "drawing": { "project": null, "projectVendorId": "9" },
            "proposal": { "client": null, "clientVendorId": "9", "project": null },
            "project": null,
        })
    );
    service.stop().await;
}
