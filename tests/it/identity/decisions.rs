//! Events that stay one event, however often and under whichever name they are delivered:
//! creations, decisions, and facts that carry a time.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{ManualClock, Service, Setup, fixture};

const YEAR: TimeDelta = TimeDelta::days(365);

#[tokio::test]
async fn decision_under_both_names_is_one_event() {
    let service = Service::open().await;
    let head = service.head().await;
    let mut live = service.subscribe(&format!("subscription {{ events(after: {head:?}) {{ id }} }}")).await;
    let accepted = fixture("bidsketch/proposal_accepted.json");
    // The other hook may write the same decision differently.
    let second =
        accepted.replace(r#""proposal_accepted""#, r#""proposal_accepted_or_declined""#).replace("4345.00", "4345");

    let event = service.post("/webhooks/bidsketch", accepted.as_str()).await.receipt().accepted();
    service.post("/webhooks/bidsketch", second.as_str()).await.receipt().redelivery_of(&event);
    let other = service.bidsketch("client_created", r#"{"id":1}"#).await.accepted();
    assert_eq!(live.next().await["events"]["id"], event);
    assert_eq!(live.next().await["events"]["id"], other, "the second name made no second message");

    let log = service.log("id kind vendorTypes deliveries { outcome vendorType body }").await;
    let decision = json!({
        "id": event,
        "kind": "PROPOSAL_ACCEPTED",
        "vendorTypes": ["proposal_accepted", "proposal_accepted_or_declined"],
        "deliveries": [
            { "outcome": "ACCEPTED", "vendorType": "proposal_accepted", "body": accepted },
            { "outcome": "REDELIVERY", "vendorType": "proposal_accepted_or_declined", "body": second },
        ],
    });
    assert_eq!(log[0], decision);
    live.complete().await;
    service.stop().await;
}

/// `status` alone decides which of the two it was, whichever name comes first.
#[tokio::test]
async fn accepted_or_declined_takes_its_kind_from_the_status() {
    let service = Service::open().await;
    let data = |id: u32, status: &str| {
        format!(r#"{{"id":{id},"status":"{status}","updated_at":"2026-01-05T10:00:00-05:00"}}"#)
    };
    let mut events = Vec::new();
    for (id, status) in [(1, "Accepted"), (2, "Declined"), (3, "Viewed"), (4, "Archived")] {
        events.push(service.bidsketch("proposal_accepted_or_declined", &data(id, status)).await.accepted());
    }
    service.bidsketch("proposal_accepted", &data(1, "Accepted")).await.redelivery_of(&events[0]);
    service.bidsketch("proposal_declined", &data(2, "Declined")).await.redelivery_of(&events[1]);
    let log = service.log("kind ... on ProposalEvent { status }").await;
    let kinds: Vec<_> = log.iter().map(|event| (&event["kind"], &event["status"])).collect();
    assert_eq!(
        json!(kinds),
        json!([
            ["PROPOSAL_ACCEPTED", "ACCEPTED"],
            ["PROPOSAL_DECLINED", "DECLINED"],
            ["PROPOSAL_STATUS_CHANGED", "VIEWED"],
            ["PROPOSAL_STATUS_CHANGED", null],
        ])
    );
    service.stop().await;
}

/// A decision that is withdrawn and made again is a new event: it has another time.
#[tokio::test]
async fn decision_at_another_time_is_another_event() {
    let service = Service::open().await;
    let accepted = fixture("bidsketch/proposal_accepted.json");
    service.post("/webhooks/bidsketch", accepted.as_str()).await.receipt().accepted();
    let later = accepted.replace("2015-10-21T16:29:00", "2015-10-21T16:29:01");
    service.post("/webhooks/bidsketch", later).await.receipt().accepted();
    // The same moment in another zone is the same decision.
    let other_zone = accepted.replace("2015-10-21T16:29:00-07:00", "2015-10-21T23:29:00Z");
    service.post("/webhooks/bidsketch", other_zone).await.receipt().redelivery_of("event:1");
    service.stop().await;
}

#[tokio::test]
async fn body_sent_four_times_is_one_event_with_four_deliveries() {
    let service = Service::open().await;
    let body = fixture("arcsite/drawing_created.json");
    let event = service.post("/webhooks/arcsite", body.as_str()).await.receipt().accepted();
    // At once, so that one transaction holds them all.
    let post = || service.post("/webhooks/arcsite", body.as_str());
    let (second, third, fourth) = tokio::join!(post(), post(), post());
    for answer in [second, third, fourth] {
        answer.receipt().redelivery_of(&event);
    }
    let log = service.log("vendorTypes deliveries { id outcome body }").await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0]["vendorTypes"], json!(["drawing.created"]));
    let deliveries = log[0]["deliveries"].as_array().unwrap();
    let outcomes: Vec<_> = deliveries.iter().map(|delivery| delivery["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["ACCEPTED", "REDELIVERY", "REDELIVERY", "REDELIVERY"]);
    assert!(deliveries.iter().all(|delivery| delivery["body"] == body));
    // Equal bytes are stored once.
    assert_eq!(service.database().numbers("SELECT COUNT(*) FROM delivery WHERE body IS NOT NULL").await, [0]);
    service.stop().await;
}

/// One transaction may hold the first delivery as well as its redeliveries.
#[tokio::test(flavor = "multi_thread")]
async fn body_sent_sixteen_times_at_once_is_one_event() {
    let service = Service::open().await;
    let posts: Vec<_> = (0..16)
        .map(|_| {
            let client = service.client().clone();
            tokio::spawn(
                async move { client.post("/webhooks/bidsketch", fixture("bidsketch/client_created.json")).await },
            )
        })
        .collect();
    let mut accepted = 0;
    for post in posts {
        let receipt = post.await.unwrap().receipt();
        assert_eq!(receipt.event_id.as_deref(), Some("event:1"));
        accepted += u32::from(receipt.outcome == "ACCEPTED");
    }
    assert_eq!(accepted, 1);
    assert_eq!(service.event_count().await, 1);
    service.stop().await;
}

/// Their dedup window is unlimited: neither age nor other events end it.
#[tokio::test]
async fn creation_or_dated_fact_repeated_after_a_year_is_a_redelivery() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let dated = r#""updated_at":"2026-01-01T00:00:00Z""#;
    let bodies = [
        ("arcsite", "project.created", r#"{"id":1}"#.to_owned()),
        ("arcsite", "drawing.created", r#"{"id":2,"project_id":1}"#.to_owned()),
        ("bidsketch", "client_created", r#"{"id":3}"#.to_owned()),
        ("bidsketch", "proposal_created", r#"{"id":4}"#.to_owned()),
        ("arcsite", "project.updated", format!(r#"{{"id":1,{dated}}}"#)),
        ("bidsketch", "proposal_accepted", format!(r#"{{"id":4,{dated}}}"#)),
        ("bidsketch", "proposal_declined", format!(r#"{{"id":4,{dated}}}"#)),
        (
            "arcsite",
            "proposal.payment.received",
            r#"{"proposal_id":5,"paid_amount":1,"pay_channel":"arcsite_payment","paid_time":"2026-01-01T00:00:00"}"#
                .to_owned(),
        ),
    ];
    let mut events = Vec::new();
    for (vendor, event, data) in &bodies {
        let body = crate::harness::envelope(event, data);
        events.push(service.post(&format!("/webhooks/{vendor}"), body).await.receipt().accepted());
    }
    // Another event of each subject in between.
    service.arcsite("project.updated", r#"{"id":1,"name":"x","updated_at":"2026-01-02T00:00:00"}"#).await.accepted();
    service.arcsite("drawing.updated", r#"{"id":2,"project_id":1,"name":"x"}"#).await.accepted();
    service.bidsketch("proposal_viewed", r#"{"id":4}"#).await.accepted();
    service.arcsite("proposal.status_changed", r#"{"proposal_id":5,"status":"VOID"}"#).await.accepted();
    clock.advance(YEAR);
    for ((vendor, event, data), first) in bodies.iter().zip(&events) {
        let body = crate::harness::envelope(event, data);
        service.post(&format!("/webhooks/{vendor}"), body).await.receipt().redelivery_of(first);
    }
    service.stop().await;
}

/// A creation happens once. Whatever a repetition says, it is a redelivery whose bytes are kept.
#[tokio::test]
async fn creation_is_identified_by_its_subject_alone() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    for (vendor, event, first, again) in [
        (
            "arcsite",
            "project.created",
            r#"{"id":1,"name":"a"}"#,
            r#"{"id":"1","name":"b","updated_at":"2026-01-01T00:00:00"}"#,
        ),
        (
            "arcsite",
            "drawing.created",
            r#"{"id":1,"project_id":1,"pdf_url":null}"#,
            r#"{"id":1,"project_id":1,"pdf_url":"https://x.example/a.pdf"}"#,
        ),
        ("bidsketch", "client_created", r#"{"id":1,"name":"a"}"#, r#"{"id":1,"name":"b"}"#),
        ("bidsketch", "proposal_created", r#"{"id":1,"status":"Pending"}"#, r#"{"id":1,"status":"Viewed"}"#),
    ] {
        let path = format!("/webhooks/{vendor}");
        let body = crate::harness::envelope(event, first);
        let id = service.post(&path, body.as_str()).await.receipt().accepted();
        clock.advance(YEAR);
        let repeated = crate::harness::envelope(event, again);
        service.post(&path, repeated.as_str()).await.receipt().redelivery_of(&id);
        let data =
            service.query(&format!(r#"{{ node(id: "{id}") {{ ... on Event {{ deliveries {{ body }} }} }} }}"#)).await;
        assert_eq!(data["node"]["deliveries"], json!([{ "body": body }, { "body": repeated }]));
    }
    let data = service.query(r#"{ project(vendorId: "1") { name } client(vendorId: "1") { name } }"#).await;
    assert_eq!(data, json!({ "project": { "name": "a" }, "client": { "name": "a" } }));
    service.stop().await;
}

/// Identity compares `data` to the letter.
#[tokio::test]
async fn delivery_of_another_provider_kind_subject_or_content_is_another_event() {
    let service = Service::open().await;
    for (vendor, event, data) in [
        ("arcsite", "project.created", r#"{"id":1}"#),
        ("arcsite", "project.created", r#"{"id":2}"#),
        ("arcsite", "project.updated", r#"{"id":1}"#),
        ("arcsite", "project.updated", r#"{"id":1,"name":"a"}"#),
        ("arcsite", "project.updated", r#"{"id":1,"name":"a" }"#),
        ("arcsite", "project.updated", r#"{"name":"a","id":1}"#),
        ("arcsite", "project.archived", r#"{"id":1}"#),
        ("arcsite", "project.restored", r#"{"id":1}"#),
        ("bidsketch", "project.archived", r#"{"id":1}"#),
        ("bidsketch", "proposal_created", r#"{"id":1}"#),
        ("bidsketch", "client_created", r#"{"id":1}"#),
    ] {
        let body = crate::harness::envelope(event, data);
        service.post(&format!("/webhooks/{vendor}"), body).await.receipt().accepted();
    }
    // The envelope around `data` does not count.
    service
        .post("/webhooks/arcsite", r#"{ "data" : {"id":1}, "event" : "project.created", "attempt": 2 }"#)
        .await
        .receipt()
        .redelivery_of("event:1");
    service.stop().await;
}

#[tokio::test]
async fn link_signed_again_is_a_redelivery_and_its_bytes_are_stored() {
    let service = Service::open().await;
    let first = fixture("arcsite/drawing_created.json").replace("drawing.created", "drawing.updated");
    let again = first.replace("Expires=1767711600&Signature=first__", "Expires=1767798000&Signature=second_");
    assert_ne!(first, again);
    let event = service.post("/webhooks/arcsite", first.as_str()).await.receipt().accepted();
    service.post("/webhooks/arcsite", again.as_str()).await.receipt().redelivery_of(&event);
    // A link to another file makes another event.
    let other = first.replace("/a.pdf?", "/b.pdf?");
    service.post("/webhooks/arcsite", other).await.receipt().accepted();

    let log = service.log("id deliveries { body bodyBase64 }").await;
    assert_eq!(log[0]["deliveries"][0]["body"], first);
    assert_eq!(log[0]["deliveries"][1]["body"], again);
    // A redelivery does not change the state: the log alone does.
    let query = r#"{ drawing(vendorId: "36029621652695041") { pdfUrl } }"#;
    assert!(service.query(query).await["drawing"]["pdfUrl"].as_str().unwrap().contains("/b.pdf"));
    service.stop().await;
}
