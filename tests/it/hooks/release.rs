//! Taking a delivery out of quarantine: it becomes what it would have been, at the time at which it came.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{ManualClock, Service, Setup, assert_bad_user_input, envelope, fixture};

const SECRET: &str = "whsec_one";

const RELEASE: &str = "mutation ($id: ID!) { releaseQuarantinedDelivery(input: { id: $id }) {
    delivery { id outcome quarantineReason detail receivedAt vendorType body event { id } }
    event { id kind receivedAt vendorTypes payload deliveries { id outcome } }
    userErrors { code message field }
} }";

async fn release(service: &Service, id: &str) -> Value {
    service.query_with(RELEASE, json!({ "id": id })).await["releaseQuarantinedDelivery"].take()
}

/// What stood in the way, which must be one thing that names the argument.
fn user_error(payload: &Value) -> String {
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload}");
    assert_eq!(errors[0]["field"], json!(["input", "id"]));
    assert!(!errors[0]["message"].as_str().unwrap().is_empty());
    errors[0]["code"].as_str().unwrap().to_owned()
}

async fn waiting(service: &Service) -> Vec<Value> {
    let mut data = service.query("{ quarantinedDeliveries(first: 100) { totalCount nodes { id } } }").await;
    let waiting = data["quarantinedDeliveries"]["nodes"].as_array_mut().unwrap().drain(..).collect::<Vec<_>>();
    assert_eq!(data["quarantinedDeliveries"]["totalCount"], waiting.len());
    waiting
}

/// A service that wants signatures, with a clock: what is signed three days and a bit ago is stale.
async fn signed() -> (Service, ManualClock) {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    (service, clock)
}

const STALE: i64 = 73 * 3600;

#[tokio::test]
async fn a_stale_delivery_becomes_an_event_of_its_own_time() {
    let (service, clock) = signed().await;
    let body = fixture("arcsite/project_created.json");
    let came = clock.now();
    service.post_signed(SECRET, clock.unix() - STALE, body.clone()).await.receipt().quarantined();
    clock.advance(TimeDelta::hours(5));
    service.post_signed(SECRET, clock.unix(), fixture("arcsite/drawing_created.json")).await.receipt().accepted();
    let before = service
        .query("{ quarantinedDeliveries { nodes { id quarantineReason detail receivedAt vendorType body } } }")
        .await;
    let before = &before["quarantinedDeliveries"]["nodes"][0];
    let mut live = service.subscribe("subscription { events { id receivedAt cursor } }").await;
    // The socket's subscription has begun once an event after it comes.
    service.post_signed(SECRET, clock.unix(), envelope("marker", "{}")).await.receipt().accepted();
    assert_eq!(live.next().await["events"]["id"], "event:2");

    let released = release(&service, "delivery:1").await;
    assert_eq!(released["userErrors"], json!([]));
    let delivery = &released["delivery"];
    assert_eq!((&delivery["outcome"], &delivery["event"]), (&json!("ACCEPTED"), &json!({ "id": "event:3" })));
    for kept in ["id", "quarantineReason", "detail", "receivedAt", "vendorType", "body"] {
        assert_eq!(delivery[kept], before[kept], "{kept} stays");
    }
    assert_eq!(delivery["body"], body);
    assert_eq!(delivery["quarantineReason"], "STALE_SIGNATURE");
    let event = &released["event"];
    assert_eq!((&event["id"], &event["kind"]), (&json!("event:3"), &json!("PROJECT_CREATED")));
    assert_eq!(event["receivedAt"], came.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    assert_eq!(event["deliveries"], json!([{ "id": "delivery:1", "outcome": "ACCEPTED" }]));
    assert_eq!(event["vendorTypes"], json!(["project.created"]));

    let streamed = live.next().await;
    assert_eq!((&streamed["events"]["id"], &streamed["events"]["receivedAt"]), (&event["id"], &event["receivedAt"]));
    live.complete().await;
    assert_eq!(waiting(&service).await, [""; 0].map(Value::from));
    let data = service
        .query(r#"{ project(vendorId: "36029621652695040") { firstSeenAt lastEventAt drawings { totalCount } } }"#)
        .await;
    assert_eq!(data["project"]["firstSeenAt"], event["receivedAt"], "it was seen when it came");
    assert_ne!(data["project"]["lastEventAt"], event["receivedAt"], "its drawing's event came later");
    assert_eq!(data["project"]["drawings"]["totalCount"], 1);

    // What comes now is a redelivery of it, and a second release changes nothing.
    service.post_signed(SECRET, clock.unix(), body).await.receipt().repeats("event:3");
    let again = release(&service, "delivery:1").await;
    assert_eq!(user_error(&again), "ALREADY_RELEASED");
    assert_eq!((&again["delivery"]["id"], &again["event"]["id"]), (&json!("delivery:1"), &json!("event:3")));
    assert_eq!(service.total().await, 3);
    service.stop().await;
}

#[tokio::test]
async fn what_cannot_be_released_says_why_and_changes_nothing() {
    let (service, clock) = signed().await;
    service.post_signed(SECRET, clock.unix(), "not json").await.receipt().quarantined();
    service.post_signed(SECRET, clock.unix(), envelope("project.created", "{}")).await.receipt().quarantined();
    // Both stale and wrong: its age does not matter any more, its payload does.
    let wrong = envelope("drawing.created", r#"{"id":1}"#);
    service.post_signed(SECRET, clock.unix() - STALE, wrong).await.receipt().quarantined();
    service.post_signed(SECRET, clock.unix(), fixture("arcsite/project_created.json")).await.receipt().accepted();
    for (id, says) in [("delivery:1", "JSON"), ("delivery:2", "id"), ("delivery:3", "project_id")] {
        for _ in 0..2 {
            let payload = release(&service, id).await;
            assert_eq!(user_error(&payload), "STILL_INVALID");
            assert!(payload["userErrors"][0]["message"].as_str().unwrap().contains(says), "{payload}");
            assert_eq!((&payload["delivery"]["id"], &payload["event"]), (&json!(id), &Value::Null));
            assert_eq!(payload["delivery"]["outcome"], "QUARANTINED");
        }
    }
    // One that is not there, and one that never was in quarantine.
    for id in ["delivery:99", "delivery:4"] {
        let payload = release(&service, id).await;
        assert_eq!(user_error(&payload), "NOT_FOUND");
        assert_eq!((&payload["delivery"], &payload["event"]), (&Value::Null, &Value::Null));
    }
    for id in ["1", "event:1", "delivery:x", ""] {
        let mut answer = service.ask(RELEASE, json!({ "id": id })).await.json();
        assert_bad_user_input(&answer["errors"][0].take(), "delivery:42");
    }
    assert_eq!(waiting(&service).await.len(), 3);
    assert_eq!(service.total().await, 1);
    service.stop().await;
}

#[tokio::test]
async fn one_that_was_delivered_again_meanwhile_is_a_redelivery() {
    let (service, clock) = signed().await;
    let body = fixture("arcsite/project_created.json");
    service.post_signed(SECRET, clock.unix() - STALE, body.clone()).await.receipt().quarantined();
    let other = body.replace("project.created", "project.created ").replace("project.created ", "project.created");
    service.post_signed(SECRET, clock.unix(), other).await.receipt().accepted();
    // Another one of the same in quarantine.
    service.post_signed(SECRET, clock.unix() - STALE, format!("{body} ")).await.receipt().quarantined();
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
    assert_eq!(service.total().await, 1);
    service.stop().await;
}

/// What is released late takes its place in time, not in front.
#[tokio::test]
async fn the_state_goes_by_the_time_that_a_released_delivery_tells() {
    let (service, clock) = signed().await;
    let status = |status: &str| {
        envelope("proposal.status_changed", &format!(r#"{{"proposal_id":1,"status":"{status}","name":"{status}"}}"#))
    };
    service.post_signed(SECRET, clock.unix() - STALE, status("PENDING")).await.receipt().quarantined();
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
    let after_the_old = state().await;
    assert_eq!((&after_the_old["status"], &after_the_old["name"]), (&json!("ACCEPTED"), &json!("APPROVED")));
    assert_eq!(after_the_old["lastEventAt"], newest, "it came before that");
    let events = json!([{ "id": "event:2", "status": "PENDING" }, { "id": "event:1", "status": "ACCEPTED" }]);
    assert_eq!(after_the_old["events"]["nodes"], events, "its place in the log is the last all the same");
    assert_eq!(release(&service, "delivery:2").await["event"]["id"], "event:3");
    let after_the_new = state().await;
    assert_eq!((&after_the_new["status"], &after_the_new["name"]), (&json!("VOID"), &json!("VOID")));
    service.stop().await;
}
