//! Each answer of Bidsketch, and no answer: the user error, and the state that remains.

use serde_json::json;
use simulator::api::{BidsketchApi, Fault, Options};

use super::{TOKEN, calls, create, created, delete, list, proposal, service, user_error, vendor};
use crate::harness::Setup;

fn status(status: u16, body: &str) -> Fault {
    Fault::Status(status, body.to_owned())
}

#[tokio::test]
async fn creation_with_each_vendor_answer_has_its_own_error() {
    let api = vendor().await;
    let service = service(&api).await;
    for (fault, code, text) in [
        (status(400, r#"{"errors":["bad data"]}"#), "VENDOR_REJECTED", "bad data"),
        (status(401, r#"{"error":"revoked"}"#), "VENDOR_UNAUTHORIZED", "bidsketch.api_token"),
        (status(404, ""), "VENDOR_REJECTED", "bidsketch.api_url"),
        (
            status(422, r#"{"errors":["Event is odd","Endpoint is odd"]}"#),
            "VENDOR_REJECTED",
            "Event is odd; Endpoint is odd",
        ),
        (status(426, r#"{"error":"upgrade"}"#), "VENDOR_LIMIT", "upgrade"),
        (status(429, ""), "VENDOR_LIMIT", "too many requests"),
        (status(500, "oops"), "VENDOR_UNAVAILABLE", "oops"),
        (status(503, "<h1>later</h1>"), "VENDOR_UNAVAILABLE", "later"),
        (status(302, ""), "VENDOR_REJECTED", "redirects"),
        (Fault::HangBefore, "OUTCOME_UNKNOWN", "too long"),
        (Fault::HangAfter, "OUTCOME_UNKNOWN", "too long"),
        (Fault::CutBefore, "OUTCOME_UNKNOWN", "not known"),
        (Fault::CutAfter, "OUTCOME_UNKNOWN", "not known"),
        (Fault::NotJson, "OUTCOME_UNKNOWN", "no webhook"),
        (Fault::Body(r#"{"id":"../1"}"#.to_owned()), "OUTCOME_UNKNOWN", "id"),
        (Fault::Body(r#"{"event":"proposal_sent"}"#.to_owned()), "OUTCOME_UNKNOWN", "no webhook"),
    ] {
        let case = format!("{fault:?}");
        let before = calls(&api, "POST");
        api.next(fault);
        let payload = create(&service, "PROPOSAL_SENT").await;
        let (actual, message) = user_error(&payload);
        assert_eq!(actual, code, "{case}: {message}");
        assert!(message.contains(text), "{case}: {message}");
        let webhook = &payload["bidsketchWebhook"];
        assert_eq!((&webhook["state"], &webhook["lastError"]), (&json!("FAILED"), &json!(message)), "{case}");
        assert!(webhook["vendorId"].is_null() && webhook["endpoint"].as_str().unwrap().ends_with("/…"), "{case}");
        assert_eq!(calls(&api, "POST"), before + 1, "{case}: a creation is never retried");
    }
    assert_eq!(list(&service).await.len(), 16);
    service.stop().await;
}

#[tokio::test]
async fn creation_over_the_account_limit_or_with_a_wrong_token_is_refused() {
    let full = BidsketchApi::start(Options { token: TOKEN.to_owned(), webhooks_max: 1, ..Options::default() });
    let full = full.await.unwrap();
    let service = service(&full).await;
    created(&service, "PROPOSAL_SENT").await;
    assert_eq!(user_error(&create(&service, "PROPOSAL_VIEWED").await).0, "VENDOR_LIMIT");
    service.stop().await;
    let service = Setup::new().bidsketch_api(&full, "another token").start().await;
    assert_eq!(user_error(&create(&service, "PROPOSAL_VIEWED").await).0, "VENDOR_UNAUTHORIZED");
    service.stop().await;
}

#[tokio::test]
async fn creation_with_an_unreachable_vendor_is_unavailable() {
    let gone = vendor().await;
    let setup = Setup::new().bidsketch_api(&gone, TOKEN);
    drop(gone);
    let service = setup.start().await;
    let payload = create(&service, "PROPOSAL_SENT").await;
    let (code, message) = user_error(&payload);
    assert!(code == "VENDOR_UNAVAILABLE" && message.contains("cannot be reached"), "{code} {message}");
    service.stop().await;
}

#[tokio::test]
async fn deletion_with_each_vendor_answer_has_its_own_error() {
    let api = vendor().await;
    let service = service(&api).await;
    // A deletion is safe to repeat, so it is retried three times, unless it timed out.
    for (fault, code, text, requests) in [
        (status(400, r#"{"errors":["bad data"]}"#), "VENDOR_REJECTED", "bad data", 1),
        (status(401, ""), "VENDOR_UNAUTHORIZED", "bidsketch.api_token", 1),
        (status(422, r#"{"errors":["no"]}"#), "VENDOR_REJECTED", "no", 1),
        (status(426, ""), "VENDOR_LIMIT", "limit", 1),
        (status(429, ""), "VENDOR_LIMIT", "too many requests", 4),
        (status(500, "oops"), "VENDOR_UNAVAILABLE", "oops", 4),
        (Fault::HangBefore, "OUTCOME_UNKNOWN", "too long", 1),
        (Fault::CutBefore, "OUTCOME_UNKNOWN", "not answered", 4),
    ] {
        let case = format!("{fault:?}");
        let webhook = created(&service, "PROPOSAL_SENT").await;
        let before = calls(&api, "DELETE");
        for _ in 0..requests {
            api.next(fault.clone());
        }
        let payload = delete(&service, json!({ "id": webhook["id"] })).await;
        let (actual, message) = user_error(&payload);
        assert_eq!(actual, code, "{case}: {message}");
        assert!(message.contains(text), "{case}: {message}");
        assert_eq!(payload["bidsketchWebhook"]["state"], "DELETING", "{case}");
        assert_eq!(payload["bidsketchWebhook"]["lastError"], message, "{case}");
        assert_eq!(calls(&api, "DELETE"), before + requests, "{case}");
        // A second call deletes it.
        let payload = delete(&service, json!({ "id": webhook["id"] })).await;
        assert_eq!(payload["userErrors"], json!([]), "{case}");
        assert_eq!(payload["bidsketchWebhook"]["state"], "DELETED", "{case}");
    }
    assert!(api.webhooks().is_empty());
    service.stop().await;
}

#[tokio::test]
async fn deletion_with_a_lost_answer_is_completed() {
    let api = vendor().await;
    let service = service(&api).await;
    for fault in [Fault::CutAfter, status(500, ""), Fault::NotJson] {
        let webhook = created(&service, "PROPOSAL_SENT").await;
        api.next(fault);
        let payload = delete(&service, json!({ "id": webhook["id"] })).await;
        assert_eq!((&payload["userErrors"], &payload["bidsketchWebhook"]["state"]), (&json!([]), &json!("DELETED")));
    }
    assert!(api.webhooks().is_empty());
    service.stop().await;
}

#[tokio::test]
async fn orphan_delivers_until_a_new_webhook_replaces_it() {
    let api = vendor().await;
    let service = service(&api).await;
    api.next(Fault::HangAfter);
    assert_eq!(user_error(&create(&service, "PROPOSAL_SENT").await).0, "OUTCOME_UNKNOWN");
    assert_eq!(api.webhooks().len(), 1, "Bidsketch has it");
    let status = |deliveries: Vec<simulator::api::Delivery>| -> Vec<u16> {
        deliveries.into_iter().map(|delivery| delivery.status.unwrap()).collect()
    };
    assert_eq!(status(api.deliver("proposal_sent", &proposal(1)).await), [200]);
    assert_eq!(service.event_count().await, 1);
    let orphan = list(&service).await.remove(0);
    assert!(orphan["state"] == "FAILED" && orphan["lastDeliveryAt"].is_string(), "{orphan}");

    created(&service, "PROPOSAL_SENT").await;
    assert_eq!(status(api.deliver("proposal_sent", &proposal(2)).await), [410, 200]);
    assert_eq!(api.webhooks().len(), 1, "the orphan is deleted at its next delivery");
    assert_eq!(status(api.deliver("proposal_sent", &proposal(3)).await), [200]);
    assert_eq!(service.event_count().await, 3);
    service.stop().await;
}
