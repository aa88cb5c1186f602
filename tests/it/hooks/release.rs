//! Release from quarantine: the delivery becomes an event with the time at which it was received.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{ManualClock, Service, Setup, Subscription, assert_bad_user_input, envelope, fixture};

const SECRET: &str = "whsec_one";

const RELEASE: &str = "mutation ($id: ID!) { releaseQuarantinedDelivery(input: { id: $id }) {
    delivery { id outcome quarantineReason detail receivedAt vendorType body event { id } }
    event { id kind receivedAt vendorTypes payload deliveries { id outcome } }
    userErrors { code message field }
} }";

async fn release(service: &Service, id: &str) -> Value {
    service.query_with(RELEASE, json!({ "id": id })).await["releaseQuarantinedDelivery"].take()
}

/// The code of the only user error, which must name the argument.
fn user_error(payload: &Value) -> String {
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload}");
    assert_eq!(errors[0]["field"], json!(["input", "id"]));
    assert!(!errors[0]["message"].as_str().unwrap().is_empty());
    errors[0]["code"].as_str().unwrap().to_owned()
}

async fn quarantined(service: &Service) -> Vec<Value> {
    let mut data = service.query("{ quarantinedDeliveries(first: 100) { totalCount nodes { id } } }").await;
    let quarantined = data["quarantinedDeliveries"]["nodes"].as_array_mut().unwrap().drain(..).collect::<Vec<_>>();
    assert_eq!(data["quarantinedDeliveries"]["totalCount"], quarantined.len());
    quarantined
}

/// A service that requires signatures, with a clock.
async fn signed_service() -> (Service, ManualClock) {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    (service, clock)
}

/// The age in seconds of a stale signature: the limit is three days.
const STALE_SECONDS: i64 = 73 * 3600;

#[tokio::test]
async fn stale_delivery_released_becomes_an_event_of_its_own_time() {
    let (service, clock) = signed_service().await;
    let body = fixture("arcsite/project_created.json");
    let received = clock.now();
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, body.clone()).await.receipt().quarantined();
    clock.advance(TimeDelta::hours(5));
    service.post_signed(SECRET, clock.unix(), fixture("arcsite/drawing_created.json")).await.receipt().accepted();
    let before = service
        .query("{ quarantinedDeliveries { nodes { id quarantineReason detail receivedAt vendorType body } } }")
        .await;
    let before = &before["quarantinedDeliveries"]["nodes"][0];
    let after = json!({ "after": service.head().await });
    let document = "subscription ($after: String) { events(after: $after) { id receivedAt cursor } }";
    let mut live = Subscription::open(&service, document, after).await;
    // The subscription is live once it sends an event.
    service.post_signed(SECRET, clock.unix(), envelope("marker", "{}")).await.receipt().accepted();
    assert_eq!(live.next().await["events"]["id"], "event:2");

    let released = release(&service, "delivery:1").await;
    assert_eq!(released["userErrors"], json!([]));
    let delivery = &released["delivery"];
    assert_eq!((&delivery["outcome"], &delivery["event"]), (&json!("ACCEPTED"), &json!({ "id": "event:3" })));
    for field in ["id", "quarantineReason", "detail", "receivedAt", "vendorType", "body"] {
        assert_eq!(delivery[field], before[field], "{field} is unchanged");
    }
    assert_eq!(delivery["body"], body);
    assert_eq!(delivery["quarantineReason"], "STALE_SIGNATURE");
    let event = &released["event"];
    assert_eq!((&event["id"], &event["kind"]), (&json!("event:3"), &json!("PROJECT_CREATED")));
    assert_eq!(event["receivedAt"], received.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    assert_eq!(event["deliveries"], json!([{ "id": "delivery:1", "outcome": "ACCEPTED" }]));
    assert_eq!(event["vendorTypes"], json!(["project.created"]));

    let streamed = live.next().await;
    assert_eq!((&streamed["events"]["id"], &streamed["events"]["receivedAt"]), (&event["id"], &event["receivedAt"]));
    live.complete().await;
    assert_eq!(quarantined(&service).await, [""; 0].map(Value::from));
    let data = service
        .query(r#"{ project(vendorId: "36029621652695040") { firstSeenAt lastEventAt drawings { totalCount } } }"#)
        .await;
    assert_eq!(data["project"]["firstSeenAt"], event["receivedAt"], "it was first seen when the delivery was received");
    assert_ne!(data["project"]["lastEventAt"], event["receivedAt"], "its drawing's event came later");
    assert_eq!(data["project"]["drawings"]["totalCount"], 1);

    // The same body is a redelivery now, and a second release changes nothing.
    service.post_signed(SECRET, clock.unix(), body).await.receipt().redelivery_of("event:3");
    let again = release(&service, "delivery:1").await;
    assert_eq!(user_error(&again), "ALREADY_RELEASED");
    assert_eq!((&again["delivery"]["id"], &again["event"]["id"]), (&json!("delivery:1"), &json!("event:3")));
    assert_eq!(service.event_count().await, 3);
    service.stop().await;
}

#[tokio::test]
async fn release_refused_says_why_and_changes_nothing() {
    let (service, clock) = signed_service().await;
    service.post_signed(SECRET, clock.unix(), "not json").await.receipt().quarantined();
    service.post_signed(SECRET, clock.unix(), envelope("project.created", "{}")).await.receipt().quarantined();
    // Both stale and wrong: a release ignores the age, but not the payload.
    let wrong = envelope("drawing.created", r#"{"id":1}"#);
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, wrong).await.receipt().quarantined();
    service.post_signed(SECRET, clock.unix(), fixture("arcsite/project_created.json")).await.receipt().accepted();
    for (id, text) in [("delivery:1", "JSON"), ("delivery:2", "id"), ("delivery:3", "project_id")] {
        for _ in 0..2 {
            let payload = release(&service, id).await;
            assert_eq!(user_error(&payload), "STILL_INVALID");
            assert!(payload["userErrors"][0]["message"].as_str().unwrap().contains(text), "{payload}");
            assert_eq!((&payload["delivery"]["id"], &payload["event"]), (&json!(id), &Value::Null));
            assert_eq!(payload["delivery"]["outcome"], "QUARANTINED");
        }
    }
    // An unknown delivery, and one that was never in quarantine.
    for id in ["delivery:99", "delivery:4"] {
        let payload = release(&service, id).await;
        assert_eq!(user_error(&payload), "NOT_FOUND");
        assert_eq!((&payload["delivery"], &payload["event"]), (&Value::Null, &Value::Null));
    }
    for id in ["1", "event:1", "delivery:x", ""] {
        let mut answer = service.graphql(RELEASE, json!({ "id": id })).await.json();
        assert_bad_user_input(&answer["errors"][0].take(), "delivery:42");
    }
    assert_eq!(quarantined(&service).await.len(), 3);
    assert_eq!(service.event_count().await, 1);
    service.stop().await;
}

#[tokio::test]
async fn release_of_a_delivery_repeated_meanwhile_is_a_redelivery() {
    let (service, clock) = signed_service().await;
    let body = fixture("arcsite/project_created.json");
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, body.clone()).await.receipt().quarantined();
    service.post_signed(SECRET, clock.unix(), body.clone()).await.receipt().accepted();
    // A second quarantined copy.
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, format!("{body} ")).await.receipt().quarantined();
    for id in ["delivery:1", "delivery:3"] {
        let released = release(&service, id).await;
        assert_eq!(released["userErrors"], json!([]), "{released}");
        assert_eq!(released["delivery"]["outcome"], "REDELIVERY");
        assert_eq!(released["delivery"]["quarantineReason"], "STALE_SIGNATURE");
        assert_eq!(released["event"]["id"], "event:1");
    }
    let data = service.query(r#"{ node(id: "event:1") { ... on Event { deliveries { id body } } } }"#).await;
    let deliveries = data["node"]["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 3);
    assert_eq!(deliveries[0]["body"], body);
    assert_eq!(deliveries[2]["body"], format!("{body} "), "bytes that differ are kept");
    assert_eq!(user_error(&release(&service, "delivery:1").await), "ALREADY_RELEASED");
    assert_eq!(service.event_count().await, 1);
    service.stop().await;
}

/// A released delivery is as old as its signature, not as its release.
#[tokio::test]
async fn release_of_an_older_delivery_keeps_the_newer_state() {
    let (service, clock) = signed_service().await;
    let status = |status: &str| {
        envelope("proposal.status_changed", &format!(r#"{{"proposal_id":1,"status":"{status}","name":"{status}"}}"#))
    };
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, status("PENDING")).await.receipt().quarantined();
    service.post_signed(SECRET, clock.unix() + 3600, status("VOID")).await.receipt().quarantined();
    clock.advance(TimeDelta::minutes(1));
    service.post_signed(SECRET, clock.unix(), status("APPROVED")).await.receipt().accepted();
    let newest = clock.now().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let state = async || {
        let query = r#"{ proposal(provider: ARCSITE, vendorId: "1") { status name lastEventAt events { nodes { id ... on ProposalEvent { status } } } } }"#;
        service.query(query).await["proposal"].take()
    };
    clock.advance(TimeDelta::minutes(1));
    assert_eq!(release(&service, "delivery:1").await["event"]["id"], "event:2");
    let after_older = state().await;
    assert_eq!((&after_older["status"], &after_older["name"]), (&json!("ACCEPTED"), &json!("APPROVED")));
    assert_eq!(after_older["lastEventAt"], newest, "the released delivery is older");
    let events = json!([{ "id": "event:2", "status": "PENDING" }, { "id": "event:1", "status": "ACCEPTED" }]);
    assert_eq!(after_older["events"]["nodes"], events, "in the log it is the newest event");
    assert_eq!(release(&service, "delivery:2").await["event"]["id"], "event:3");
    let after_newer = state().await;
    assert_eq!((&after_newer["status"], &after_newer["name"]), (&json!("VOID"), &json!("VOID")));
    service.stop().await;
}

/// The response has no data, so a later field that ran would be unknown to the client.
#[tokio::test]
async fn mutation_ends_at_the_first_field_that_fails() {
    let (service, clock) = signed_service().await;
    let body = fixture("arcsite/project_created.json");
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, body).await.receipt().quarantined();
    let mutation = r#"mutation {
        failed: releaseQuarantinedDelivery(input: { id: "delivery" }) { event { id } }
        later: releaseQuarantinedDelivery(input: { id: "delivery:1" }) { event { id } }
    }"#;
    let answer = service.graphql(mutation, json!({})).await.json();
    assert_eq!((&answer["data"], answer["errors"].as_array().unwrap().len()), (&json!(null), 1), "{answer}");
    assert_eq!(answer["errors"][0]["path"], json!(["failed"]));
    assert_eq!(quarantined(&service).await.len(), 1);
    service.stop().await;
}

/// The conflict is found before the mutation runs.
#[tokio::test]
async fn mutation_with_a_conflict_in_its_result_releases_nothing() {
    let (service, clock) = signed_service().await;
    let body = fixture("arcsite/project_created.json");
    service.post_signed(SECRET, clock.unix() - STALE_SECONDS, body).await.receipt().quarantined();
    let mutation = r#"mutation { release: releaseQuarantinedDelivery(input: { id: "delivery:1" }) { x: userErrors { code } ...B } }
        fragment B on ReleaseQuarantinedDeliveryPayload { x: delivery { id } }"#;
    let answer = service.graphql(mutation, json!({})).await.json();
    assert_bad_user_input(&answer["errors"][0], "the fields named \"x\" have different types");
    assert_eq!(answer.get("data"), None);
    assert_eq!(quarantined(&service).await.len(), 1);
    service.stop().await;
}
