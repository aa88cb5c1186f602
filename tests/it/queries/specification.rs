//! Requests are judged and executed as GraphQL.js, the reference implementation, does: values are
//! coerced before anything runs, on every transport.

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::harness::{EventStream, HttpResponse, Message, Script, Service, Socket, assert_bad_user_input};

async fn service() -> Service {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1,"name":"Deck"}"#).await.accepted();
    service.arcsite("drawing.created", r#"{"id":2,"project_id":1,"name":"Sheet"}"#).await.accepted();
    service.arcsite("proposal.status_changed", r#"{"proposal_id":3,"status":"PENDING"}"#).await.accepted();
    service.bidsketch("client_created", r#"{"id":4}"#).await.accepted();
    service.post("/webhooks/arcsite", "wrong").await.receipt().quarantined();
    service
}

/// The answer to a request in the specification's media type, where the status tells whether the
/// operation ran.
async fn answer(service: &Service, request: &Value) -> HttpResponse {
    let post = service
        .request(Method::POST, "/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json");
    HttpResponse::of(post.body(request.to_string())).await
}

/// The first message of a subscription, as the answer of a query would be.
async fn first_message(service: &Service, request: &Value) -> String {
    #[derive(Deserialize)]
    struct Text<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        #[serde(borrow)]
        payload: &'a RawValue,
    }
    let mut socket = Socket::open(service).await;
    socket.send(json!({ "id": "1", "type": "subscribe", "payload": request })).await;
    let Message::Text(text) = socket.message().await else { panic!("{request}: the socket is closed") };
    let message: Text<'_> = serde_json::from_str(&text).unwrap();
    match message.kind {
        "next" => message.payload.to_string(),
        "error" => format!(r#"{{"errors":{}}}"#, message.payload),
        _ => panic!("{text}"),
    }
}

#[tokio::test]
async fn requests_are_answered_as_by_the_reference_implementation() {
    let service = service().await;
    let text = include_str!("../../documents/requests.json");
    let mut requests: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(requests.len() >= 60);
    let mut answers = Vec::new();
    for request in &mut requests {
        let name = request.as_object_mut().unwrap().remove("name").unwrap();
        let query = request["query"].as_str().unwrap();
        let body = if query.starts_with("subscription") {
            first_message(&service, request).await
        } else {
            let answer = answer(&service, request).await;
            let is_executed = answer.json().get("data").is_some();
            assert_eq!(answer.status, if is_executed { 200 } else { 400 }, "{name}: {answer:?}");
            answer.body
        };
        let is_refused = serde_json::from_str::<Value>(&body).unwrap().get("data").is_none();
        if is_refused {
            let answer: Value = serde_json::from_str(&body).unwrap();
            assert_bad_user_input(&answer["errors"][0], "");
        }
        request["name"] = name;
        // The text keeps the order of the keys.
        let body = RawValue::from_string(body).unwrap();
        let request = request.to_string();
        answers.push(format!(r#"{},"answer":{body}}}"#, request.strip_suffix('}').unwrap()));
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("answers.json");
    std::fs::write(&file, format!("[{}]", answers.join(","))).unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let variables = [("BIDARC_SCHEMA", schema), ("BIDARC_ANSWERS", file.to_str().unwrap())];
    let (status, errors) = Script::run("compare.mjs", &variables, directory.path()).wait().await;
    assert!(status.success(), "{errors}");
    service.stop().await;
}

#[tokio::test]
async fn wrong_value_is_named_by_its_variable_its_type_and_its_place() {
    let service = service().await;
    let long = "x".repeat(1000);
    for (query, variables, message) in [
        (
            "query ($f: EventFilter) { events(filter: $f) { totalCount } }",
            json!({ "f": { "receivedFrom": "yesterday" } }),
            "the variable $f of type EventFilter has a wrong value: $f.receivedFrom must be of type DateTime, \
             a time like \"2022-01-16T04:19:23Z\"; it is \"yesterday\"",
        ),
        (
            "query ($f: EventFilter) { events(filter: $f) { totalCount } }",
            json!({ "f": { "kind": ["PROJECT_CREATED", "nothing"] } }),
            "$f.kind[1] must be of type EventKind, one of PROJECT_CREATED, PROJECT_UPDATED, DRAWING_CREATED, ",
        ),
        (
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            json!({ "ids": ["project:1", null] }),
            "the variable $ids of type [ID!]! has a wrong value: $ids[1] must be of type ID!, it is null",
        ),
        (
            "query ($o: ProjectOrder) { projects(orderBy: $o) { totalCount } }",
            json!({ "o": { "field": "NAME" } }),
            "$o lacks the field direction of type OrderDirection!, which ProjectOrder requires",
        ),
        (
            "query ($f: DrawingFilter) { drawings(filter: $f) { totalCount } }",
            json!({ "f": { "colour": 1 } }),
            "$f has no field \"colour\"; the fields of DrawingFilter are nameContains, projectId, tag",
        ),
        (
            "query ($n: Int) { projects(first: $n) { totalCount } }",
            json!({ "n": 1.5 }),
            "$n must be of type Int, a whole number from -2147483648 to 2147483647; it is 1.5",
        ),
        (
            r#"{ events(filter: { receivedFrom: "yesterday" }) { totalCount } }"#,
            json!({}),
            "the argument filter of events has a wrong value: filter.receivedFrom must be of type DateTime, \
             a time like \"2022-01-16T04:19:23Z\"; it is \"yesterday\"",
        ),
        (
            r#"{ proposals(filter: { status: [DRAFT, "VOID"] }) { totalCount } }"#,
            json!({}),
            "filter.status[1] must be of type ProposalStatus, VOID without quotation marks; it is \"VOID\"",
        ),
        (
            "query ($id: ID) { node(id: $id) { id } }",
            json!({ "id": "project:1" }),
            "the variable $id of type ID is used in the argument id, where ID! is expected; declare it as $id: ID!",
        ),
        (
            "mutation ($id: ID) { deleteBidsketchWebhook(input: { id: $id }) { userErrors { code } } }",
            json!({ "id": "webhook:1" }),
            "the variable $id of type ID is used in the argument input, where ID! is expected",
        ),
        (
            r#"query ($n: Int = "1") { projects(first: $n) { totalCount } }"#,
            json!({}),
            "the variable $n of type Int has a wrong default: $n must be of type Int, a whole number; it is \"1\"",
        ),
        (
            "query ($d: Decimal) { proposals(filter: { totalAtLeast: $d }) { totalCount } }",
            json!({ "d": long }),
            "xxx…\"",
        ),
    ] {
        let refused = answer(&service, &json!({ "query": query, "variables": variables })).await;
        assert_eq!((refused.status, refused.json().get("data")), (400, None), "{query}: {refused:?}");
        let error = &refused.json()["errors"][0];
        assert_bad_user_input(error, message);
        assert!(error["message"].as_str().unwrap().len() < 400 && error["locations"][0]["line"] == 1, "{error}");
    }
    // Each faulty variable has its own error.
    let query =
        "query ($a: Int!, $b: Int) { a: projects(first: $a) { totalCount } b: projects(first: $b) { totalCount } }";
    let both = answer(&service, &json!({ "query": query, "variables": { "b": "x" } })).await.json();
    assert_eq!(both["errors"].as_array().unwrap().len(), 2, "{both}");
    // A small document must not cause a large response.
    let many = format!("query ({}) {{ headCursor }}", "$a: Int! ".repeat(1000));
    let long = format!("{{ {} }}", format!("{} ", "x".repeat(100)).repeat(20));
    for query in [many, long] {
        let refused = answer(&service, &json!({ "query": query })).await;
        assert_eq!((refused.status, refused.json()["errors"].as_array().unwrap().len()), (400, 10));
        assert!(refused.body.len() < 8192, "{refused:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn values_are_coerced_for_queries_and_streams() {
    let service = service().await;
    let query = "query ($n: Int) { projects(first: $n) { pageInfo { hasNextPage } nodes { id } } }";
    let data = service.query_with(query, json!({ "n": 0.0 })).await;
    assert_eq!(data["projects"], json!({ "pageInfo": { "hasNextPage": true }, "nodes": [] }));
    let text = "nodes(ids: [\"\\ud83d\\ude00\", \"\\u{1F600}\"]) { id }";
    let mut echo = service.graphql(&format!("\"A description.\" query {{ {text} }}"), json!({})).await.json();
    assert_eq!(echo["data"]["nodes"], json!([null, null]));
    for (index, error) in echo["errors"].as_array_mut().unwrap().iter_mut().enumerate() {
        assert_bad_user_input(error, "\"😀\"");
        assert_eq!(error["path"], json!(["nodes", index]));
    }
    let query =
        "subscription ($n: Int!) { ...F } fragment F on Subscription { eventFeed(pageSize: $n) { events { id } } }";
    let request = json!({ "query": query, "variables": { "n": 2.0 } });
    let message: Value = serde_json::from_str(&first_message(&service, &request).await).unwrap();
    assert_eq!(message["data"]["eventFeed"]["events"], json!([{ "id": "event:1" }, { "id": "event:2" }]), "{message}");
    let mut stream = EventStream::open(EventStream::request(&service, query, json!({}))).await;
    let message = stream.response().await.data;
    assert_eq!(message.get("data"), None);
    assert_bad_user_input(&message["errors"][0], "the variable $n of type Int! has no value");
    let mut conditional =
        service.subscribe("subscription { ...F @skip(if: false) } fragment F on Subscription { events { id } }").await;
    assert_bad_user_input(&conditional.error().await, "must not use @skip or @include");
    service.stop().await;
}

/// The fields wait for the database in several statements, and have introspection between them.
#[tokio::test]
async fn root_keys_keep_the_order_of_the_selection_on_every_transport() {
    let service = service().await;
    let query = "{ e: events { totalCount } p: projects { totalCount } t: __type(name: \"Date\") { name } c: clients { totalCount }
        __typename d: drawings { totalCount } s: __schema { queryType { name } } a: proposals { totalCount } }";
    let order = |body: &str| {
        let keys = ["e", "p", "t", "c", "__typename", "d", "s", "a"];
        let places: Vec<_> = keys.iter().map(|key| body.find(&format!("\"{key}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{body}");
    };
    let mut url = reqwest::Url::parse("http://localhost/graphql").unwrap();
    url.query_pairs_mut().append_pair("query", query);
    let get = format!("{}?{}", url.path(), url.query().unwrap());
    for _ in 0..12 {
        order(&service.graphql(query, json!({})).await.body);
        order(&service.get(&get).await.body);
        order(&first_message(&service, &json!({ "query": query })).await);
        let mut stream = EventStream::open(EventStream::request(&service, query, json!({}))).await;
        order(&stream.text().await.unwrap());
    }
    service.stop().await;
}

#[tokio::test]
async fn schema_describes_itself_and_its_scalars() {
    let service = service().await;
    let data = service
        .query("{ a: __schema { d: description ...F } __typename } fragment F on __Schema { description __typename }")
        .await;
    let description = data["a"]["description"].as_str().unwrap();
    assert!(description.contains("ArcSite and Bidsketch"), "{data}");
    assert_eq!((&data["a"]["d"], &data["a"]["__typename"]), (&json!(description), &json!("__Schema")));
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert!(committed.contains(&format!("\"\"\"\n{description}\n\"\"\"\nschema {{")));
    for scalar in ["DateTime", "Date", "Decimal", "JSON", "Url"] {
        let data = service.query(&format!("{{ __type(name: {scalar:?}) {{ specifiedByURL }} }}")).await;
        assert!(data["__type"]["specifiedByURL"].as_str().unwrap().starts_with("https://www."), "{scalar}: {data}");
    }
    service.stop().await;
}
