//! The ways in which clients write "none": an empty name, empty variables, an empty cursor.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Database, EventStream, HttpResponse, Service, Setup, sample_database};

/// A document that runs only if the variable is not given and no operation is named.
const DOCUMENT: &str = "query Only($id: ID) { node(id: $id) @include(if: false) { id } __typename }";

const TYPENAME: &str = r#"{"data":{"__typename":"Query"}}"#;

#[tokio::test]
async fn name_and_variables_empty_are_none_on_every_transport() {
    let service = Service::open().await;
    let document = "query Only { __typename }";
    let mut socket = service.socket().await;
    for variables in [json!(""), json!(" "), json!("{}"), json!("null"), json!([]), json!({}), json!(null)] {
        for name in [json!(""), json!(null), json!("Only")] {
            let body =
                json!({ "query": document, "operationName": name, "variables": variables, "extensions": variables });
            let answer = service.post("/graphql", body.to_string()).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, TYPENAME), "{body}");

            let mut parameters = vec![("query", document.to_owned())];
            for (key, value) in [("operationName", &name), ("variables", &variables), ("extensions", &variables)] {
                parameters.push((key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
            }
            parameters.retain(|(key, value)| *key != "operationName" || value != "null");
            let mut url = reqwest::Url::parse(&format!("{}/graphql", service.base())).unwrap();
            url.query_pairs_mut().extend_pairs(&parameters);
            let answer = service.get(url.as_str().strip_prefix(service.base()).unwrap()).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, TYPENAME), "{url}");

            let request = service.request(Method::POST, "/graphql/sse").header("content-type", "application/json");
            let mut stream = EventStream::open(request.body(body.to_string())).await;
            assert_eq!(stream.response().await.data, json!({ "data": { "__typename": "Query" } }), "{body}");
            stream.assert_completes().await;

            socket.send(json!({ "id": "1", "type": "subscribe", "payload": body })).await;
            assert_eq!(socket.json().await["payload"], json!({ "data": { "__typename": "Query" } }), "{body}");
            assert_eq!(socket.json().await["type"], "complete");
        }
    }
    service.stop().await;
}

/// The empty values are none, but a value in text is a value, and another type is an error.
#[tokio::test]
async fn variables_in_text_are_read_and_others_are_refused() {
    let service = Service::open().await;
    let document = "query ($id: ID!) { node(id: $id) { id } }";
    let missing = json!({ "data": { "node": null } });
    for variables in [json!({ "id": "event:1" }), json!(r#"{ "id": "event:1" }"#)] {
        let body = json!({ "query": document, "variables": variables }).to_string();
        assert_eq!(service.post("/graphql", body).await.json(), missing, "{variables}");
    }
    for variables in [json!([1]), json!([[]]), json!("x"), json!("[1]"), json!(1), json!(false)] {
        let body = json!({ "query": DOCUMENT, "variables": variables }).to_string();
        let answer = service.post("/graphql", body).await;
        assert_eq!(answer.status, 400, "{variables}: {answer:?}");
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
    // A blank name is a name.
    let body = json!({ "query": DOCUMENT, "operationName": " " }).to_string();
    assert!(service.post("/graphql", body).await.json()["errors"][0]["message"].is_string());
    service.stop().await;
}

/// Every list and feed of the schema: the type and the name of each field with a cursor argument.
async fn lists(service: &Service) -> BTreeSet<(String, String)> {
    let schema =
        service.query("{ __schema { types { name fields { name args { name } } } } }").await["__schema"]["types"]
            .take();
    let mut found = BTreeSet::new();
    for parent in schema.as_array().unwrap() {
        for field in parent["fields"].as_array().into_iter().flatten() {
            if field["args"].as_array().unwrap().iter().any(|argument| argument["name"] == "after") {
                let [parent, field] = [parent, field].map(|of| of["name"].as_str().unwrap().to_owned());
                found.insert((parent, field));
            }
        }
    }
    found
}

#[tokio::test]
async fn cursor_empty_is_none_in_every_list() {
    let database = sample_database(Database::fresh()).await;
    let service = Setup::new().database(database).start().await;
    let mut seen = 0;
    for (parent, field) in lists(&service).await {
        let parents = match parent.as_str() {
            "Query" => None,
            "Subscription" => continue,
            "Project" | "Drawing" | "Client" | "Proposal" => Some(format!("{}s", parent.to_lowercase())),
            "Event" => Some("events".to_owned()),
            // The field is that of `Event`.
            event if event.ends_with("Event") => continue,
            other => panic!("no list leads to {other}.{field}"),
        };
        let is_feed = field == "eventFeed";
        let query = |paging: &str| {
            let list = if is_feed {
                format!("eventFeed({paging}) {{ events {{ id }} cursor }}")
            } else {
                format!(
                    "{field}({paging}) {{ edges {{ node {{ id }} }} pageInfo {{ endCursor hasNextPage hasPreviousPage }} }}"
                )
            };
            match &parents {
                Some(parents) => format!("query ($none: String) {{ {parents}(first: 3) {{ nodes {{ {list} }} }} }}"),
                None => format!("query ($none: String) {{ {list} }}"),
            }
            .replacen(
                "($none: String) ",
                if paging.contains("$none") { "($none: String) " } else { "" },
                1,
            )
        };
        let empties: &[(&str, Value)] = if is_feed {
            &[("after: \"\"", json!({})), ("after: $none", json!({ "none": "" }))]
        } else {
            &[
                ("first: 2, after: \"\"", json!({})),
                ("first: 2, after: $none", json!({ "none": "" })),
                ("last: 2, before: \"\"", json!({})),
                ("last: 2, before: $none, after: \"\"", json!({ "none": "" })),
            ]
        };
        for (paging, variables) in empties {
            let without = match paging.split(',').next().unwrap() {
                size if size.starts_with("after") => "pageSize: 100",
                size => size,
            };
            let expected = service.query(&query(without)).await;
            assert_eq!(
                service.query_with(&query(paging), variables.clone()).await,
                expected,
                "{parent}.{field}({paging})"
            );
            seen += 1;
        }
        // A blank is a cursor, and a wrong one.
        let paging = if is_feed { "after: \" \"" } else { "first: 2, after: \" \"" };
        let answer = service.graphql(&query(paging), json!({})).await.json();
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("malformed"), "{parent}.{field}: {answer}");
    }
    assert!(seen > 40, "{seen}");
    service.stop().await;
}

#[tokio::test]
async fn subscription_with_empty_cursor_is_live_only() {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    let mut socket = service.socket().await;
    for (id, field, variables) in [
        ("1", "events(after: \"\") { id }", json!({})),
        ("2", "events(after: $none) { id }", json!({ "none": "" })),
        ("3", "events(after: $none) { id }", json!({ "none": null })),
    ] {
        let definition = if field.contains('$') { "($none: String)" } else { "" };
        socket.subscribe(id, &format!("subscription {definition} {{ {field} }}"), variables).await;
    }
    // The response to this query shows that the service has processed the messages before it.
    socket.subscribe("q", "{ __typename }", json!({})).await;
    assert_eq!(socket.json().await["id"], "q");
    assert_eq!(socket.json().await["type"], "complete");
    service.arcsite("project.created", r#"{"id":2}"#).await.accepted();
    for _ in 0..3 {
        assert_eq!(socket.json().await["payload"], json!({ "data": { "events": { "id": "event:2" } } }));
    }
    // The feed starts at the first event.
    for (feed, variables) in [("after: \"\"", json!({})), ("after: $none", json!({ "none": "" }))] {
        let definition = if feed.contains('$') { "($none: String)" } else { "" };
        let query = format!("subscription {definition} {{ eventFeed({feed}) {{ events {{ id }} }} }}");
        let mut stream = EventStream::open(EventStream::request(service.client(), &query, variables)).await;
        let events = json!([{ "id": "event:1" }, { "id": "event:2" }]);
        assert_eq!(stream.response().await.data["data"]["eventFeed"]["events"], events, "{feed}");
    }
    service.stop().await;
}

/// A client that has not received an event yet sends an empty id.
#[tokio::test]
async fn url_without_a_value_is_the_same_as_without_the_parameter() {
    let service = Service::open().await;
    for parameters in ["variables=", "operationName=&variables=&extensions=", "variables=%7B%7D", "variables=null"] {
        let answer = service.get(&format!("/graphql?query={{__typename}}&{parameters}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, TYPENAME), "{parameters}");
    }
    for parameters in ["variables=1", "variables={", "variables=[1]", "variables=x", "query={a}"] {
        let answer =
            HttpResponse::of(service.request(Method::GET, &format!("/graphql?query={{a}}&{parameters}"))).await;
        assert_eq!(answer.status, 400, "{parameters}: {answer:?}");
    }
    service.stop().await;
}
