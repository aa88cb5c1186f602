//! The execution of selections follows the specification: merging, nulls, and the order of fields.

use serde_json::json;

use crate::harness::{Service, assert_bad_user_input};

async fn service() -> Service {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1,"name":"Deck"}"#).await.accepted();
    service.arcsite("drawing.created", r#"{"id":2,"project_id":1,"name":"Sheet"}"#).await.accepted();
    service
}

async fn text(service: &Service, query: &str) -> String {
    service.graphql(query, json!({})).await.body
}

#[tokio::test]
async fn fields_with_one_response_name_are_merged_at_every_level() {
    let service = service().await;
    for (query, expected) in [
        (
            r#"{ project(vendorId: "1") { name } project(vendorId: "1") { id } }"#,
            r#"{"data":{"project":{"name":"Deck","id":"project:1"}}}"#,
        ),
        (
            "query { ...A ...B } fragment A on Query { projects { nodes { name } } }
             fragment B on Query { projects { totalCount nodes { id ...C } } } fragment C on Project { vendorId }",
            r#"{"data":{"projects":{"nodes":[{"name":"Deck","id":"project:1","vendorId":"1"}],"totalCount":1}}}"#,
        ),
        (
            r#"{ project(vendorId: "1") { drawings { nodes { name } } ... on Node { id } drawings { nodes { id } } } }"#,
            r#"{"data":{"project":{"drawings":{"nodes":[{"name":"Sheet","id":"drawing:2"}]},"id":"project:1"}}}"#,
        ),
        (
            r#"query ($no: Boolean = false) { project(vendorId: "1") { name @include(if: $no) id }
                 ...A @include(if: $no) } fragment A on Query { headCursor }"#,
            r#"{"data":{"project":{"id":"project:1"}}}"#,
        ),
        ("{ headCursor @skip(if: true) }", r#"{"data":{}}"#),
    ] {
        assert_eq!(text(&service, query).await, expected, "{query}");
    }
    service.stop().await;
}

#[tokio::test]
async fn fields_keep_the_order_of_the_document() {
    let service = service().await;
    let query =
        r#"{ project(vendorId: "1") { drawings { nodes { project { id } name } } name b: id __typename a: id } }"#;
    assert_eq!(
        text(&service, query).await,
        r#"{"data":{"project":{"drawings":{"nodes":[{"project":{"id":"project:1"},"name":"Sheet"}]},"name":"Deck","b":"project:1","__typename":"Project","a":"project:1"}}}"#
    );
    // The root waits for the database in some fields, and has introspection between them.
    let query = r#"{ z: projects { totalCount } __typename q: __type(name: "Date") { name } ...F a: headCursor @skip(if: true) }
        fragment F on Query { project(vendorId: "1") { id } __schema { queryType { name } } z: projects { nodes { id } } }"#;
    assert_eq!(
        text(&service, query).await,
        r#"{"data":{"z":{"totalCount":1,"nodes":[{"id":"project:1"}]},"__typename":"Query","q":{"name":"Date"},"project":{"id":"project:1"},"__schema":{"queryType":{"name":"Query"}}}}"#
    );
    service.stop().await;
}

#[tokio::test]
async fn field_that_fails_is_null_up_to_the_nearest_nullable_parent() {
    let service = service().await;
    // A nullable field of the root, alone and beside another.
    let alone = service.graphql(r#"{ node(id: "bad") { id } }"#, json!({})).await.json();
    assert_eq!(alone["data"], json!({ "node": null }), "{alone}");
    assert_bad_user_input(&alone["errors"][0], "node id");
    let beside = service.graphql(r#"{ node(id: "bad") { id } project(vendorId: "1") { id } }"#, json!({})).await.json();
    assert_eq!(beside["data"], json!({ "node": null, "project": { "id": "project:1" } }));
    // A field that cannot be null, at the root and within a nullable object.
    let root =
        service.graphql("{ projects(first: 101) { nodes { id } } project(vendorId: \"1\") { id } }", json!({})).await;
    assert_eq!(root.json()["data"], json!(null));
    let within = r#"{ project(vendorId: "1") { id drawings(first: 101) { nodes { id } } } headCursor }"#;
    let within = service.graphql(within, json!({})).await.json();
    assert!(within["data"]["project"].is_null() && within["data"]["headCursor"].is_string(), "{within}");
    assert_eq!(within["errors"][0]["path"], json!(["project", "drawings"]));
    // In a list that cannot have nulls. The path leads to the failed field.
    let listed = "{ projects { nodes { id drawings(first: 101) { nodes { id } } } } }";
    let listed = service.graphql(listed, json!({})).await.json();
    assert!(listed["data"].is_null());
    assert_eq!(listed["errors"][0]["path"], json!(["projects", "nodes", 0, "drawings"]));
    service.stop().await;
}

#[tokio::test]
async fn fields_that_cannot_be_merged_are_refused() {
    let service = service().await;
    for query in [
        r#"{ project(vendorId: "1") { name ... on Project { name: id } } }"#,
        r#"{ project(vendorId: "1") { drawings(first: 1) { nodes { id } } ... on Project { drawings(first: 3) { nodes { id } } } } }"#,
        r#"{ project(vendorId: "1") { x: events { nodes { id } } ... on Project { x: drawings { nodes { name } } } } }"#,
        r#"{ project(vendorId: "1") { drawings { nodes { a: name } } drawings { nodes { a: id } } } }"#,
        r#"{ project(vendorId: "1") { id } ... on Query { project(vendorId: "2") { id } } }"#,
    ] {
        let answer = service.graphql(query, json!({})).await.json();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{query}: {answer}");
    }
    service.stop().await;
}

#[tokio::test]
async fn mutation_selected_twice_runs_once() {
    let service = service().await;
    let query = r#"mutation { createBidsketchWebhook(input: { event: PROPOSAL_SENT, endpoint: "nonsense" }) { userErrors { code } }
        ... on Mutation { createBidsketchWebhook(input: { event: PROPOSAL_SENT, endpoint: "nonsense" }) { userErrors { message } } } }"#;
    let answer = service.graphql(query, json!({})).await.json();
    let errors = &answer["data"]["createBidsketchWebhook"]["userErrors"];
    assert_eq!(errors.as_array().unwrap().len(), 1, "{answer}");
    assert!(errors[0]["code"].is_string() && errors[0]["message"].is_string(), "{answer}");
    service.stop().await;
}

#[tokio::test]
async fn subscription_field_in_a_fragment_runs_and_two_fields_are_refused() {
    let service = service().await;
    let spread = "subscription { ...F } fragment F on Subscription { events { id } }";
    let mut spread = service.subscribe(spread).await;
    service.arcsite("project.created", r#"{"id":3}"#).await.accepted();
    assert_eq!(spread.next().await["events"]["id"], "event:3");
    spread.complete().await;
    let mut two_fields = service.subscribe("subscription { events { id } proposalEvents { id } }").await;
    assert_bad_user_input(&two_fields.error().await, "one root field");
    service.stop().await;
}
