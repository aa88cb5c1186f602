//! What happened to a proposal, and when: the first sending, the views, the decision that stands
//! and the payments. A rebuild gives the same.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::rebuild::rebuild;
use crate::harness::{ManualClock, SECRET, Service, Setup, envelope};

const FACTS: &str = "sentAt firstViewedAt lastViewedAt viewCount decidedAt";

async fn facts(service: &Service, provider: &str, id: &str) -> Value {
    let query = format!("{{ proposal(provider: {provider}, vendorId: {id:?}) {{ {FACTS} }} }}");
    service.query(&query).await["proposal"].take()
}

async fn bidsketch(service: &Service, event: &str, updated_at: &str, status: &str) {
    let data = format!(r#"{{"id":1,"updated_at":"{updated_at}","status":"{status}"}}"#);
    service.bidsketch(event, &data).await.accepted();
}

/// Stops the service, rebuilds, and starts it again. Every row must be the same.
async fn rebuilt(service: Service, clock: &ManualClock) -> Service {
    let database = service.stop().await;
    let before = database.dump_without_audit().await;
    rebuild(&database).await;
    crate::harness::assert_same_rows(&before, &database.dump_without_audit().await);
    Setup::new().database(database).clock(clock).start().await
}

/// The clock of the service is at 2026-01-05T15:00:00Z.
#[tokio::test]
async fn facts_are_the_earliest_and_latest_times_in_any_order() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    // The decision comes first, then everything before it, late and out of order.
    bidsketch(&service, "proposal_accepted", "2026-01-04T12:00:00Z", "Accepted").await;
    bidsketch(&service, "proposal_viewed", "2026-01-03T12:00:00Z", "Viewed").await;
    bidsketch(&service, "proposal_sent", "2026-01-02T12:00:00Z", "Pending").await;
    bidsketch(&service, "proposal_sent", "2026-01-01T12:00:00Z", "Pending").await;
    bidsketch(&service, "proposal_viewed", "2026-01-01T13:00:00Z", "Viewed").await;
    let mut expected = json!({
        "sentAt": "2026-01-01T12:00:00Z", "firstViewedAt": "2026-01-01T13:00:00Z",
        "lastViewedAt": "2026-01-03T12:00:00Z", "viewCount": 2, "decidedAt": "2026-01-04T12:00:00Z",
    });
    assert_eq!(facts(&service, "BIDSKETCH", "1").await, expected);
    // A redelivery counts nothing.
    let again = r#"{"id":1,"updated_at":"2026-01-01T13:00:00Z","status":"Viewed"}"#;
    assert_eq!(service.bidsketch("proposal_viewed", again).await.outcome, "REDELIVERY");
    assert_eq!(facts(&service, "BIDSKETCH", "1").await, expected);
    // A view that does not change the proposal has the time of what was before: it is one of now.
    bidsketch(&service, "proposal_viewed", "2026-01-04T12:00:00Z", "Accepted").await;
    expected["lastViewedAt"] = json!("2026-01-05T15:00:00Z");
    expected["viewCount"] = json!(3);
    assert_eq!(facts(&service, "BIDSKETCH", "1").await, expected);
    // A time of tomorrow is not believed.
    clock.advance(TimeDelta::minutes(10));
    bidsketch(&service, "proposal_viewed", "2026-01-06T12:00:00Z", "Accepted").await;
    expected["lastViewedAt"] = json!("2026-01-05T15:10:00Z");
    expected["viewCount"] = json!(4);
    assert_eq!(facts(&service, "BIDSKETCH", "1").await, expected);
    let service = rebuilt(service, &clock).await;
    assert_eq!(facts(&service, "BIDSKETCH", "1").await, expected);
    service.stop().await;
}

#[tokio::test]
async fn decision_that_stands_has_the_time_of_its_first_event() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let decided_at = async |service: &Service| facts(service, "BIDSKETCH", "1").await["decidedAt"].take();
    bidsketch(&service, "proposal_sent", "2026-01-01T12:00:00Z", "Pending").await;
    assert_eq!(decided_at(&service).await, json!(null));
    // A view tells of the acceptance before its own event does.
    bidsketch(&service, "proposal_viewed", "2026-01-03T12:00:00Z", "Accepted").await;
    assert_eq!(decided_at(&service).await, "2026-01-03T12:00:00Z");
    bidsketch(&service, "proposal_accepted", "2026-01-02T12:00:00Z", "Accepted").await;
    assert_eq!(decided_at(&service).await, "2026-01-02T12:00:00Z");
    // Another decision stands now, then none, then the first again.
    bidsketch(&service, "proposal_declined", "2026-01-04T12:00:00Z", "Declined").await;
    assert_eq!(decided_at(&service).await, "2026-01-04T12:00:00Z");
    bidsketch(&service, "proposal_accepted_or_declined", "2026-01-04T13:00:00Z", "Pending").await;
    assert_eq!(decided_at(&service).await, json!(null));
    bidsketch(&service, "proposal_accepted", "2026-01-04T14:00:00Z", "Accepted").await;
    assert_eq!(decided_at(&service).await, "2026-01-04T14:00:00Z");
    let service = rebuilt(service, &clock).await;
    assert_eq!(decided_at(&service).await, "2026-01-04T14:00:00Z");
    let log = service.log("... on ProposalEvent { status previousStatus }").await;
    let previous: Vec<&Value> = log.iter().map(|event| &event["previousStatus"]).collect();
    let expected =
        [json!(null), json!("PENDING"), json!("ACCEPTED"), json!("ACCEPTED"), json!("DECLINED"), json!("PENDING")];
    assert_eq!(previous, expected.iter().collect::<Vec<_>>());
    service.stop().await;
}

#[tokio::test]
async fn arcsite_proposal_counts_at_its_arrivals_and_has_no_views() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let post = async |event: &str, data: &str| {
        service.arcsite(event, data).await.accepted();
        clock.advance(TimeDelta::hours(1));
    };
    post("proposal.status_changed", r#"{"proposal_id":1,"status":"DRAFT"}"#).await;
    post("proposal.status_changed", r#"{"proposal_id":1,"status":"PENDING"}"#).await;
    post("proposal.sent", r#"{"proposal_id":1}"#).await;
    post("proposal.approved", r#"{"proposal_id":1}"#).await;
    post("proposal.status_changed", r#"{"proposal_id":1,"status":"APPROVED"}"#).await;
    let expected = json!({
        "sentAt": "2026-01-05T16:00:00Z", "firstViewedAt": null, "lastViewedAt": null, "viewCount": 0,
        "decidedAt": "2026-01-05T18:00:00Z",
    });
    assert_eq!(facts(&service, "ARCSITE", "1").await, expected);
    // Nothing is inferred: an approval alone was not sent.
    post("proposal.status_changed", r#"{"proposal_id":2,"status":"LOST"}"#).await;
    let lost = facts(&service, "ARCSITE", "2").await;
    assert_eq!((&lost["sentAt"], &lost["decidedAt"]), (&json!(null), &json!("2026-01-05T20:00:00Z")));
    rebuilt(service, &clock).await.stop().await;
}

/// A payment may arrive before its proposal, and many of one group may arrive together.
#[tokio::test]
async fn payment_before_its_proposal_counts_when_the_proposal_arrives() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let pay = async |amount: &str| {
        let data = format!(
            r#"{{"proposal_id":1,"drawing_id":1,"paid_amount":{amount},"pay_channel":"mark_as_paid","paid_date":"2026-01-05"}}"#
        );
        service.arcsite("proposal.payment.received", &data).await.accepted();
    };
    pay("100.5").await;
    pay("0.25").await;
    service.arcsite("proposal.status_changed", r#"{"proposal_id":1,"status":"APPROVED","total":500}"#).await.accepted();
    pay("-0.75").await;
    let query = "{ proposalStats { byStatus { status paid { amount } } } proposals { nodes { paidTotal } } }";
    let data = service.query(query).await;
    assert_eq!(data["proposalStats"]["byStatus"], json!([{ "status": "ACCEPTED", "paid": [{ "amount": "100.00" }] }]));
    assert_eq!(data["proposals"]["nodes"][0]["paidTotal"], "100.00");
    let service = rebuilt(service, &clock).await;
    assert_eq!(service.query(query).await, data);
    service.stop().await;
}

/// Puts the database into the state that a node of the version before leaves: its events are not
/// counted, and the new columns have their defaults.
const UNCOUNT: [&str; 2] = [
    "UPDATE event SET previous_status = NULL, view_slot = NULL, is_counted = NULL",
    "UPDATE proposal SET sent_at = NULL, first_viewed_at = NULL, last_viewed_at = NULL, view_count = 0, decided_at = NULL, paid = 0, \
     stats_key = ''",
];

#[tokio::test]
async fn events_of_the_version_before_are_counted_after_the_start() {
    let database = crate::harness::sample_database(crate::harness::Database::fresh()).await;
    let before = database.dump_without_audit().await;
    let connection = database.connect().await;
    for statement in UNCOUNT {
        sea_orm::ConnectionTrait::execute_unprepared(&connection, statement).await.unwrap();
    }
    connection.close().await.unwrap();
    let service = Setup::new().database(database).start().await;
    let uncounted = "SELECT COUNT(*) FROM event WHERE is_counted IS NULL AND proposal_vendor_id IS NOT NULL";
    crate::harness::eventually("all events are counted", crate::harness::TIMEOUT, async || {
        (service.database().numbers(uncounted).await == [0]).then_some(())
    })
    .await;
    let database = service.stop().await;
    // Events without a proposal need no mark.
    let connection = database.connect().await;
    let mark = "UPDATE event SET is_counted = TRUE WHERE is_counted IS NULL";
    sea_orm::ConnectionTrait::execute_unprepared(&connection, mark).await.unwrap();
    connection.close().await.unwrap();
    crate::harness::assert_same_rows(&before, &database.dump_without_audit().await);
}

/// A late event does not change the state, but its facts count; and one transaction gives the same
/// as several.
#[tokio::test]
async fn older_signed_event_counts_without_changing_the_state() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).signing_secrets(&[SECRET]).start().await;
    let post = async |t: i64, status: &str| {
        let body = envelope("proposal.status_changed", &format!(r#"{{"proposal_id":1,"status":"{status}"}}"#));
        service.post_signed(SECRET, clock.unix() + t, body).await.receipt().accepted();
    };
    post(0, "APPROVED").await;
    clock.advance(TimeDelta::minutes(1));
    post(-3600, "PENDING").await;
    let query = "{ proposal(provider: ARCSITE, vendorId: \"1\") { status sentAt decidedAt } }";
    let expected =
        json!({ "status": "ACCEPTED", "sentAt": "2026-01-05T15:01:00Z", "decidedAt": "2026-01-05T15:00:00Z" });
    assert_eq!(service.query(query).await["proposal"], expected);
    service.stop().await;
}

/// A node of the version before records a view beside a running service: it knows none of the
/// columns.
#[tokio::test]
async fn event_of_a_node_of_the_version_before_is_counted_while_the_service_runs() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    bidsketch(&service, "proposal_sent", "2026-01-01T12:00:00Z", "Pending").await;
    let connection = service.database().connect().await;
    let body = envelope("proposal_viewed", r#"{"id":1,"updated_at":"2026-01-02T12:00:00Z","status":"Viewed"}"#);
    for statement in [
        format!(
            "INSERT INTO event (seq, provider, kind, vendor_type, subject, identity, status, occurred_at, received_at, \
             order_key, proposal_vendor_id, body) SELECT 2, provider, 'PROPOSAL_VIEWED', 'proposal_viewed', subject, 'view', \
             'VIEWED', 1767355200000000, received_at, 1767355200000000, proposal_vendor_id, '{body}' FROM event"
        ),
        "INSERT INTO delivery (id, provider, vendor_type, received_at, outcome, event_seq) \
         SELECT 2, provider, 'proposal_viewed', received_at, 'ACCEPTED', 2 FROM event WHERE seq = 1"
            .to_owned(),
        "UPDATE proposal SET status = 'VIEWED', vendor_status = 'Viewed', order_key = 1767355200000000, \
         updated_at = 1767355200000000, updated_order = 1767355200000000"
            .to_owned(),
    ] {
        sea_orm::ConnectionTrait::execute_unprepared(&connection, &statement).await.unwrap();
    }
    connection.close().await.unwrap();
    crate::harness::eventually("the view is counted", crate::harness::TIMEOUT, async || {
        (facts(&service, "BIDSKETCH", "1").await["viewCount"] == 1).then_some(())
    })
    .await;
    let data = service.query("{ proposalStats { byStatus { status count } viewsByHour { count } } }").await;
    let expected = json!({ "byStatus": [{ "status": "VIEWED", "count": 1 }], "viewsByHour": [{ "count": 1 }] });
    assert_eq!(data["proposalStats"], expected);
    let log = service.log("... on ProposalEvent { previousStatus }").await;
    assert_eq!(log[1]["previousStatus"], "PENDING");
    rebuilt(service, &clock).await.stop().await;
}
