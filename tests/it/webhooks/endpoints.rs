//! The endpoints that a webhook may have, and the errors of requests that cannot be sent.

use serde_json::json;

use super::{CREATE, DELETE, TOKEN, calls, create, create_at, created, delete, list, service, user_error, vendor};
use crate::harness::{Setup, assert_bad_user_input};

#[tokio::test]
async fn endpoint_neither_https_nor_local_is_refused() {
    let api = vendor().await;
    let service = service(&api).await;
    for invalid in ["http://office.example.com/hook", "ftp://office.example.com", "office", "", "https://u:p@a.example"]
    {
        let payload = create_at(&service, "PROPOSAL_SENT", Some(invalid)).await;
        assert_eq!(user_error(&payload).0, "INVALID_ENDPOINT", "{invalid}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["input", "endpoint"]));
        assert!(payload["bidsketchWebhook"].is_null());
    }
    assert_eq!((calls(&api, "POST"), list(&service).await.len()), (0, 0), "nothing is stored, no request is sent");
    for (event, valid) in [
        ("PROPOSAL_SENT", "https://office.example.com/hooks/bidsketch"),
        ("PROPOSAL_VIEWED", "http://127.0.0.1:1/hook"),
    ] {
        let payload = create_at(&service, event, Some(valid)).await;
        assert_eq!(payload["userErrors"], json!([]));
        assert_eq!(payload["bidsketchWebhook"]["endpoint"], valid);
        assert!(api.webhooks().iter().any(|webhook| webhook.endpoint == valid));
    }
    service.stop().await;
}

#[tokio::test]
async fn second_webhook_of_an_event_at_another_endpoint_is_refused() {
    let api = vendor().await;
    let service = service(&api).await;
    let endpoint = "https://office.example.com/hook?key=hush";
    let first = create_at(&service, "PROPOSAL_SENT", Some(endpoint)).await;
    let same = create_at(&service, "PROPOSAL_SENT", Some(endpoint)).await;
    assert_eq!(same["userErrors"], json!([]));
    assert_eq!(same["bidsketchWebhook"]["id"], first["bidsketchWebhook"]["id"]);
    assert_eq!(same["bidsketchWebhook"]["endpoint"], "https://office.example.com/hook?…");
    for other in
        [create_at(&service, "PROPOSAL_SENT", Some("https://b.example")).await, create(&service, "PROPOSAL_SENT").await]
    {
        let (code, message) = user_error(&other);
        assert_eq!(code, "ALREADY_EXISTS");
        assert!(message.contains(first["bidsketchWebhook"]["id"].as_str().unwrap()), "{message}");
        assert!(!message.contains("hush"), "{message}");
    }
    assert_eq!(calls(&api, "POST"), 1);
    // Its deletion makes room.
    delete(&service, json!({ "id": first["bidsketchWebhook"]["id"] })).await;
    created(&service, "PROPOSAL_SENT").await;
    service.stop().await;
}

#[tokio::test]
async fn creation_without_an_api_token_names_the_setting() {
    let service = Setup::new().start().await;
    let payload = create(&service, "PROPOSAL_SENT").await;
    let (code, message) = user_error(&payload);
    assert!(code == "NOT_CONFIGURED" && message.contains("bidsketch.api_token"), "{code} {message}");
    let deleted = delete(&service, json!({ "vendorId": "4815162342" })).await;
    assert_eq!(user_error(&deleted).0, "NOT_CONFIGURED");
    assert!(list(&service).await.is_empty());
    service.stop().await;
}

#[tokio::test]
async fn webhook_id_of_a_wrong_form_is_bad_input_and_an_unknown_one_is_not_found() {
    let api = vendor().await;
    let service = service(&api).await;
    assert_eq!(user_error(&delete(&service, json!({ "id": "webhook:99" })).await).0, "NOT_FOUND");
    for (input, text) in [
        (json!({ "id": "delivery:1" }), "webhook:3"),
        (json!({ "id": "x" }), "webhook:3"),
        (json!({ "vendorId": "../clients/1" }), "4815162342"),
        (json!({ "vendorId": "" }), "4815162342"),
    ] {
        let answer = service.graphql(DELETE, json!({ "input": input })).await.json();
        assert_bad_user_input(&answer["errors"][0], text);
    }
    // The input takes exactly one of the two.
    let both = service.graphql(DELETE, json!({ "input": { "id": "webhook:1", "vendorId": "1" } })).await.json();
    assert!(both["errors"].is_array() && both["data"].is_null(), "{both}");
    let unknown = service.graphql(CREATE, json!({ "event": "PROPOSAL_EATEN" })).await.json();
    assert!(unknown["errors"].is_array(), "{unknown}");
    assert_eq!(api.requests().len(), 0);
    service.stop().await;
}

#[tokio::test]
async fn api_url_without_tls_is_refused_at_the_start() {
    for (url, shown) in [
        ("http://bidsketch.example/api/v1", "http://bidsketch.example/api/v1"),
        ("http://me:pass-word@bidsketch.example/api/v1", "http://bidsketch.example/api/v1"),
        // A password would take the place of the token.
        ("https://me:pass-word@bidsketch.example/api/v1", "https://bidsketch.example/api/v1"),
        ("https://bidsketch.example/api/v1?token=pass-word", "https://bidsketch.example/api/v1?…"),
        ("me:pass-word@bidsketch.example", "(not shown)"),
    ] {
        let database = crate::harness::Database::fresh();
        let ended = crate::harness::Launch::new(database.directory())
            .env("BIDARC_BIDSKETCH__API_URL", url)
            .env("BIDARC_BIDSKETCH__API_TOKEN", TOKEN)
            .env("BIDARC_SERVER__LISTEN", "127.0.0.1:0")
            .env("BIDARC_DATABASE__URL", &database.url())
            .run()
            .await;
        assert!(!ended.status.success() && ended.stderr.contains("bidsketch.api_url"), "{ended:?}");
        assert!(ended.stderr.contains(&format!(" {shown}")), "{ended:?}");
        assert!(!ended.stderr.contains(TOKEN) && !ended.stderr.contains("pass-word"), "{ended:?}");
    }
}

#[tokio::test]
async fn secret_echoed_by_bidsketch_is_masked() {
    let api = vendor().await;
    let service = service(&api).await;
    let endpoint = "https://office.example.com/hook/0123456789abcdef0123456789?key=hush-hush";
    let echo = json!({ "errors": [format!("Endpoint {endpoint} cannot be reached")] }).to_string();
    for (body, shown) in [
        (echo.clone(), "cannot be reached"),
        (echo.replace('/', "\\/"), "cannot be reached"),
        (echo.replace("hush-hush", "hush%2Dhush"), "not shown"),
        (echo.replace('-', "\\u002d"), "not shown"),
        (echo.replace("0123456789", "%30123456789"), "not shown"),
    ] {
        api.next(simulator::api::Fault::Status(422, body));
        let payload = create_at(&service, "PROPOSAL_SENT", Some(endpoint)).await;
        let (code, message) = user_error(&payload);
        assert!(code == "VENDOR_REJECTED" && message.contains(shown), "{message}");
        let stored = service.database().texts("SELECT last_error || endpoint FROM bidsketch_webhook").await;
        for text in [payload.to_string(), stored.concat()] {
            assert!(!text.contains("hush") && !text.contains("123456789abcdef"), "{text}");
        }
    }
    // A deletion does not know the endpoint any more.
    let webhook = created(&service, "PROPOSAL_SENT").await;
    api.next(simulator::api::Fault::Status(422, echo));
    let payload = delete(&service, json!({ "id": webhook["id"] })).await;
    let (_, message) = user_error(&payload);
    assert!(message.contains("https://office.example.com/hook/…?… cannot be reached"), "{message}");
    service.stop().await;
}

/// A creation stays pending if the database could not store its result.
#[tokio::test]
async fn creation_abandoned_makes_room_for_a_new_one() {
    use sea_orm::ConnectionTrait;
    let api = vendor().await;
    let service = service(&api).await;
    let database = service.database().connect().await;
    let abandon = async || {
        let sql = "UPDATE bidsketch_webhook SET state = 'PENDING', vendor_id = NULL WHERE state = 'ACTIVE'";
        database.execute_unprepared(sql).await.unwrap();
    };
    let first = created(&service, "PROPOSAL_SENT").await;
    abandon().await;
    let second = created(&service, "PROPOSAL_SENT").await;
    assert_ne!(first["id"], second["id"]);
    let states: Vec<_> = list(&service).await.into_iter().map(|webhook| webhook["state"].clone()).collect();
    assert_eq!(states, ["FAILED", "ACTIVE"]);
    // Its deletion succeeds at once: Bidsketch has nothing to delete.
    abandon().await;
    let deleted = delete(&service, json!({ "id": second["id"] })).await;
    assert_eq!((&deleted["userErrors"], &deleted["bidsketchWebhook"]["state"]), (&json!([]), &json!("DELETED")));
    assert_eq!(calls(&api, "DELETE"), 0);
    database.close().await.unwrap();
    service.stop().await;
}
