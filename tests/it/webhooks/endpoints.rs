//! Where a webhook may send to, and what is missing where none can be made.

use serde_json::json;

use super::{CREATE, DELETE, TOKEN, calls, create, create_at, created, delete, list, service, user_error, vendor};
use crate::harness::{Setup, assert_bad_user_input};

#[tokio::test]
async fn an_endpoint_is_https_or_this_machine() {
    let api = vendor().await;
    let service = service(&api).await;
    for wrong in ["http://office.example.com/hook", "ftp://office.example.com", "office", "", "https://u:p@a.example"] {
        let payload = create_at(&service, "PROPOSAL_SENT", Some(wrong)).await;
        assert_eq!(user_error(&payload).0, "INVALID_ENDPOINT", "{wrong}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["input", "endpoint"]));
        assert!(payload["bidsketchWebhook"].is_null());
    }
    assert_eq!((calls(&api, "POST"), list(&service).await.len()), (0, 0), "nothing is kept, nobody is asked");
    for (event, right) in [
        ("PROPOSAL_SENT", "https://office.example.com/hooks/bidsketch"),
        ("PROPOSAL_VIEWED", "http://127.0.0.1:1/hook"),
    ] {
        let payload = create_at(&service, event, Some(right)).await;
        assert_eq!(payload["userErrors"], json!([]));
        assert_eq!(payload["bidsketchWebhook"]["endpoint"], right);
        assert!(api.webhooks().iter().any(|webhook| webhook.endpoint == right));
    }
    service.stop().await;
}

#[tokio::test]
async fn an_event_has_one_webhook_and_another_place_is_told_apart() {
    let api = vendor().await;
    let service = service(&api).await;
    let place = "https://office.example.com/hook?key=hush";
    let first = create_at(&service, "PROPOSAL_SENT", Some(place)).await;
    let same = create_at(&service, "PROPOSAL_SENT", Some(place)).await;
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
    // Gone, it makes room.
    delete(&service, json!({ "id": first["bidsketchWebhook"]["id"] })).await;
    created(&service, "PROPOSAL_SENT").await;
    service.stop().await;
}

#[tokio::test]
async fn what_is_not_set_is_named() {
    let api = vendor().await;
    let service = Setup::new().start().await;
    let payload = create(&service, "PROPOSAL_SENT").await;
    let (code, message) = user_error(&payload);
    assert!(code == "NOT_CONFIGURED" && message.contains("bidsketch.api_token"), "{code} {message}");
    let gone = delete(&service, json!({ "vendorId": "4815162342" })).await;
    assert_eq!(user_error(&gone).0, "NOT_CONFIGURED");
    assert!(list(&service).await.is_empty());
    service.stop().await;
    drop(api);
}

#[tokio::test]
async fn an_id_of_another_form_is_told_apart_from_one_that_is_not_there() {
    let api = vendor().await;
    let service = service(&api).await;
    assert_eq!(user_error(&delete(&service, json!({ "id": "webhook:99" })).await).0, "NOT_FOUND");
    for (input, says) in [
        (json!({ "id": "delivery:1" }), "webhook:3"),
        (json!({ "id": "x" }), "webhook:3"),
        (json!({ "vendorId": "../clients/1" }), "4815162342"),
        (json!({ "vendorId": "" }), "4815162342"),
    ] {
        let answer = service.ask(DELETE, json!({ "input": input })).await.json();
        assert_bad_user_input(&answer["errors"][0], says);
    }
    // One of the two, and not both.
    let both = service.ask(DELETE, json!({ "input": { "id": "webhook:1", "vendorId": "1" } })).await.json();
    assert!(both["errors"].is_array() && both["data"].is_null(), "{both}");
    let unknown = service.ask(CREATE, json!({ "event": "PROPOSAL_EATEN" })).await.json();
    assert!(unknown["errors"].is_array(), "{unknown}");
    assert_eq!(api.requests().len(), 0);
    service.stop().await;
}

#[tokio::test]
async fn an_api_url_that_is_not_safe_is_refused_at_the_start() {
    let ended = crate::harness::Launch::new(crate::harness::Database::fresh().directory())
        .env("BIDARC_BIDSKETCH__API_URL", "http://bidsketch.example/api/v1")
        .env("BIDARC_BIDSKETCH__API_TOKEN", TOKEN)
        .env("BIDARC_SERVER__LISTEN", "127.0.0.1:0")
        .env("BIDARC_DATABASE__URL", &crate::harness::Database::fresh().url())
        .run()
        .await;
    assert!(!ended.status.success() && ended.stderr.contains("bidsketch.api_url"), "{ended:?}");
    assert!(!ended.stderr.contains(TOKEN));
}

#[tokio::test]
async fn a_secret_that_bidsketch_says_again_is_masked() {
    let api = vendor().await;
    let service = service(&api).await;
    let place = "https://office.example.com/hook/0123456789abcdef0123456789?key=hush-hush";
    let echo = json!({ "errors": [format!("Endpoint {place} cannot be reached")] }).to_string();
    for body in [echo.clone(), echo.replace('/', "\\/")] {
        api.next(simulator::api::Fault::Status(422, body));
        let payload = create_at(&service, "PROPOSAL_SENT", Some(place)).await;
        let (code, message) = user_error(&payload);
        assert!(code == "VENDOR_REJECTED" && message.contains("cannot be reached"), "{message}");
        let kept = service.database().texts("SELECT last_error || endpoint FROM bidsketch_webhook").await;
        for text in [payload.to_string(), kept.concat()] {
            assert!(!text.contains("hush") && !text.contains("0123456789abcdef"), "{text}");
        }
    }
    service.stop().await;
}

/// As it is left where the database did not take what became of a creation.
#[tokio::test]
async fn a_creation_that_nobody_is_at_work_on_any_more_makes_room() {
    use sea_orm::ConnectionTrait;
    let api = vendor().await;
    let service = service(&api).await;
    let database = service.database().connect().await;
    let leave = async || {
        let left = "UPDATE bidsketch_webhook SET state = 'PENDING', vendor_id = NULL WHERE state = 'ACTIVE'";
        database.execute_unprepared(left).await.unwrap();
    };
    let first = created(&service, "PROPOSAL_SENT").await;
    leave().await;
    let second = created(&service, "PROPOSAL_SENT").await;
    assert_ne!(first["id"], second["id"]);
    let states: Vec<_> = list(&service).await.into_iter().map(|webhook| webhook["state"].clone()).collect();
    assert_eq!(states, ["FAILED", "ACTIVE"]);
    // One that is to be deleted goes at once: there is nothing to ask Bidsketch for.
    leave().await;
    let deleted = delete(&service, json!({ "id": second["id"] })).await;
    assert_eq!((&deleted["userErrors"], &deleted["bidsketchWebhook"]["state"]), (&json!([]), &json!("DELETED")));
    assert_eq!(calls(&api, "DELETE"), 0);
    database.close().await.unwrap();
    service.stop().await;
}
