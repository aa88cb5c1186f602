//! Creating and deleting webhooks.

use super::*;

#[tokio::test]
async fn webhook_is_created_with_200_and_deleted_with_204() {
    let api = start().await;
    let (status, first) = create(&api, &webhook("client_created")).await;
    assert_eq!(status, 200);
    assert_eq!(first["event"], "client_created");
    assert_eq!(first["endpoint"], "http://127.0.0.1:9/hook");
    let id = first["id"].as_u64().unwrap();
    assert_eq!(first["url"], format!("{}/webhooks/{id}.json", api.url()));
    for time in ["created_at", "updated_at"] {
        assert!(chrono::DateTime::parse_from_rfc3339(first[time].as_str().unwrap()).is_ok(), "{first}");
        assert!(first[time].as_str().unwrap().ends_with("-05:00"), "{first}");
    }
    assert_eq!(first.as_object().unwrap().len(), 6);

    let (_, second) = create(&api, &webhook("proposal_sent")).await;
    assert_eq!(second["id"], id + 1);
    let registered =
        |id, event: &str| Registered { id, event: event.to_owned(), endpoint: "http://127.0.0.1:9/hook".to_owned() };
    assert_eq!(api.webhooks(), [registered(id, "client_created"), registered(id + 1, "proposal_sent")]);

    let answer = call(&api, Method::DELETE, &format!("/webhooks/{id}.json"), "").await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.bytes().await.unwrap(), "");
    assert_eq!(api.webhooks(), [registered(id + 1, "proposal_sent")]);
    for missing in [id, id + 2] {
        assert_eq!(delete(&api, missing).await, 404);
    }
}

#[tokio::test]
async fn invalid_body_is_422_with_the_reasons() {
    let api = start().await;
    let endpoint = "http://127.0.0.1:9/hook";
    for (body, expected) in [
        ("", "JSON object"),
        ("{", "JSON object"),
        ("[]", "JSON object"),
        (&json!({"endpoint": endpoint}).to_string(), "event cannot be blank"),
        (&json!({"event": "client_created"}).to_string(), "endpoint cannot be blank"),
        (&json!({"event": "client_created", "endpoint": ""}).to_string(), "endpoint cannot be blank"),
        (&json!({"event": 7, "endpoint": endpoint}).to_string(), "event must be a string"),
        (&json!({"event": "client_updated", "endpoint": endpoint}).to_string(), "event must be one of"),
        (&json!({"event": "client_created", "endpoint": "hook"}).to_string(), "endpoint must be an http"),
        (&json!({"event": "client_created", "endpoint": "ftp://127.0.0.1/"}).to_string(), "endpoint must be an http"),
        (&json!({"event": "client_created", "endpoint": endpoint, "name": "x"}).to_string(), "name is unknown"),
    ] {
        let (status, answer) = status_and_body(call(&api, Method::POST, "/webhooks.json", body).await.unwrap()).await;
        assert_eq!(status, 422, "{body}");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{body}: {answer}");
        assert!(answer["errors"][0].as_str().unwrap().contains(expected), "{body}: {answer}");
    }
    let (_, answer) = create(&api, &json!({"event": "", "name": "x"})).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 3, "{answer}");
    assert_eq!(api.webhooks(), []);
}

#[tokio::test]
async fn unsupported_method_or_path_is_404() {
    let api = start().await;
    let id = create(&api, &webhook("client_created")).await.1["id"].clone();
    let one = format!("/webhooks/{id}.json");
    for (method, path) in [
        (Method::GET, "/webhooks.json"),
        (Method::GET, &*one),
        (Method::PUT, &one),
        (Method::DELETE, one.trim_end_matches(".json")),
        (Method::DELETE, "/webhooks/x.json"),
        (Method::GET, "/webhooks"),
        (Method::GET, "/nothing.json"),
        (Method::GET, ""),
    ] {
        let answer = call(&api, method.clone(), path, "").await.unwrap();
        assert_eq!(answer.status(), 404, "{method} {path}");
        assert!(answer.json::<Value>().await.unwrap()["error"].is_string(), "{method} {path}");
    }
    assert_eq!(api.webhooks().len(), 1);
}

#[tokio::test]
async fn requests_are_logged_as_received() {
    let api = start().await;
    create(&api, &webhook("client_created")).await;
    get(&api, "/clients.json?page=2").await;
    client().get(format!("{}/clients.json", api.url())).send().await.unwrap();
    let requests = api.requests();
    let short: Vec<_> = requests.iter().map(|r| (r.method.as_str(), r.path.as_str(), r.status)).collect();
    assert_eq!(
        short,
        [
            ("POST", "/api/v1/webhooks.json", Some(200)),
            ("GET", "/api/v1/clients.json?page=2", Some(200)),
            ("GET", "/api/v1/clients.json", Some(400)),
        ]
    );
    assert_eq!(requests[0].authorization.as_deref(), Some(r#"Token token="simulated""#));
    assert_eq!(requests[0].body, webhook("client_created").to_string());
    assert_eq!(requests[2].authorization, None);
}
