//! Which delivery repeats an event, exactly at the ends of the dedup windows, and what it changes.
//! Each list of deliveries comes one by one and in groups.

use chrono::DateTime;

use super::super::normalise::normalise;
use super::*;
use crate::domain::Provider::{self, Arcsite, Bidsketch};
use crate::store::Store;
use crate::store::files::FileRecording;

const WINDOWS: DedupWindowLengths =
    DedupWindowLengths { state: TimeDelta::hours(24), occurrence: TimeDelta::minutes(2) };
const ONE_MICROSECOND: TimeDelta = TimeDelta::microseconds(1);

const CREATION: (Provider, &str) = (Arcsite, r#"{"event":"project.created","data":{"id":1}}"#);
const STATE_A: (Provider, &str) = (Arcsite, r#"{"event":"drawing.updated","data":{"id":1,"project_id":7,"name":"a"}}"#);
const STATE_B: (Provider, &str) = (Arcsite, r#"{"event":"drawing.updated","data":{"id":1,"project_id":7,"name":"b"}}"#);
const OTHER_DRAWING: (Provider, &str) =
    (Arcsite, r#"{"event":"drawing.updated","data":{"id":2,"project_id":7,"name":"a"}}"#);
const OCCURRENCE: (Provider, &str) = (Arcsite, r#"{"event":"proposal.sent","data":{"proposal_id":1}}"#);
const STATUS: (Provider, &str) =
    (Arcsite, r#"{"event":"proposal.status_changed","data":{"proposal_id":1,"project_id":7,"status":"VOID"}}"#);
const SAME_ID_ELSEWHERE: (Provider, &str) = (Bidsketch, r#"{"event":"proposal_viewed","data":{"id":1}}"#);

/// A delivery: what is sent, when it is received, and the `t` of its signature.
type Sent = ((Provider, &'static str), TimeDelta, Option<i64>);

/// The event of each delivery, and whether it is new. `at_once` says how many are in a group.
async fn record_all(store: &Store, sent: &[Sent], at_once: usize) -> Vec<(i64, bool)> {
    let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let incoming: Vec<NormalisedDelivery> = sent
        .iter()
        .map(|((provider, body), after, signed_at)| {
            let content = (Vec::new(), body.as_bytes().to_vec());
            let delivery = Delivery::from_quarantine(*provider, start + *after, *signed_at, content);
            NormalisedDelivery { event: normalise(*provider, body), delivery }
        })
        .collect();
    let mut events = Vec::new();
    for incoming in incoming.chunks(at_once) {
        let incoming: Vec<&NormalisedDelivery> = incoming.iter().collect();
        let tx = store.begin().await.unwrap();
        let mut group = CommitGroup::begin(tx, &incoming, FileRecording::Off).await.unwrap();
        for incoming in incoming {
            let receipt = record(&mut group, incoming, WINDOWS).await.unwrap();
            events.push((receipt.event.unwrap().0, receipt.outcome == DeliveryOutcome::Accepted));
        }
        group.flush().await.unwrap().commit(store).await.unwrap();
    }
    events
}

async fn assert_recorded(sent: &[Sent], expected: &[(i64, bool)]) {
    for at_once in [1, 2, sent.len()] {
        let (_directory, store) = Store::for_test().await;
        assert_eq!(record_all(&store, sent, at_once).await, expected, "{at_once} in a group: {sent:?}");
        store.close().await;
    }
}

const fn unsigned(content: (Provider, &'static str), after: TimeDelta) -> Sent {
    (content, after, None)
}

#[tokio::test]
async fn creation_repeats_for_ever() {
    let year = TimeDelta::days(365);
    assert_recorded(&[unsigned(CREATION, TimeDelta::zero()), unsigned(CREATION, year)], &[(1, true), (1, false)]).await;
}

#[tokio::test]
async fn state_repeats_up_to_the_end_of_its_window() {
    let (now, end) = (TimeDelta::zero(), WINDOWS.state);
    assert_recorded(&[unsigned(STATE_A, now), unsigned(STATE_A, end)], &[(1, true), (1, false)]).await;
    let after = end + ONE_MICROSECOND;
    assert_recorded(&[unsigned(STATE_A, now), unsigned(STATE_A, after)], &[(1, true), (2, true)]).await;
    // A released delivery is older than the event that it may repeat.
    assert_recorded(&[unsigned(STATE_A, end), unsigned(STATE_A, now)], &[(1, true), (1, false)]).await;
    assert_recorded(&[unsigned(STATE_A, after), unsigned(STATE_A, now)], &[(1, true), (2, true)]).await;
    // A redelivery makes the window no longer.
    let again = [unsigned(STATE_A, now), unsigned(STATE_A, end), unsigned(STATE_A, after)];
    assert_recorded(&again, &[(1, true), (1, false), (2, true)]).await;
}

#[tokio::test]
async fn state_repeats_until_its_own_subject_changes() {
    let now = TimeDelta::zero();
    let changed = [unsigned(STATE_A, now), unsigned(STATE_B, now), unsigned(STATE_A, now), unsigned(STATE_A, now)];
    assert_recorded(&changed, &[(1, true), (2, true), (3, true), (3, false)]).await;
    let others = [unsigned(STATE_A, now), unsigned(OTHER_DRAWING, now), unsigned(STATE_A, now)];
    assert_recorded(&others, &[(1, true), (2, true), (1, false)]).await;
    // Proposal 1 of the other vendor is another subject.
    let elsewhere = [unsigned(STATUS, now), unsigned(SAME_ID_ELSEWHERE, now), unsigned(STATUS, now)];
    assert_recorded(&elsewhere, &[(1, true), (2, true), (1, false)]).await;
}

#[tokio::test]
async fn occurrence_repeats_up_to_the_end_of_a_window_since_the_last_delivery() {
    let (now, end) = (TimeDelta::zero(), WINDOWS.occurrence);
    let later = end * 2 + ONE_MICROSECOND;
    let sent = [unsigned(OCCURRENCE, now), unsigned(OCCURRENCE, end), unsigned(OCCURRENCE, end * 2)];
    assert_recorded(&sent, &[(1, true), (1, false), (1, false)]).await;
    let sent = [unsigned(OCCURRENCE, now), unsigned(OCCURRENCE, end), unsigned(OCCURRENCE, later)];
    assert_recorded(&sent, &[(1, true), (1, false), (2, true)]).await;
    let sent = [unsigned(OCCURRENCE, end + ONE_MICROSECOND), unsigned(OCCURRENCE, now)];
    assert_recorded(&sent, &[(1, true), (2, true)]).await;
}

#[tokio::test]
async fn equal_signature_time_repeats_however_late() {
    let (now, late) = (TimeDelta::zero(), TimeDelta::days(9));
    for content in [STATE_A, OCCURRENCE] {
        let sent =
            [(content, now, Some(7)), (STATE_B, now, Some(7)), (content, late, Some(7)), (content, late * 2, Some(8))];
        assert_recorded(&sent, &[(1, true), (2, true), (1, false), (3, true)]).await;
    }
}

#[tokio::test]
async fn redelivery_renews_a_link_that_expires_later_and_says_so() {
    const fn link(body: &'static str) -> Sent {
        unsigned((Arcsite, body), TimeDelta::zero())
    }
    let sent = [
        link(
            r#"{"event":"drawing.created","data":{"id":1,"project_id":7,"pdf_url":"https://x/a.pdf?Expires=2&Signature=a"}}"#,
        ),
        link(
            r#"{"event":"drawing.created","data":{"id":1,"project_id":7,"pdf_url":"https://x/a.pdf?Expires=3&Signature=b"}}"#,
        ),
        link(
            r#"{"event":"drawing.created","data":{"id":1,"project_id":7,"pdf_url":"https://x/a.pdf?Expires=3&Signature=c"}}"#,
        ),
        link(
            r#"{"event":"drawing.created","data":{"id":1,"project_id":7,"pdf_url":"https://x/a.pdf?Expires=1&Signature=d"}}"#,
        ),
    ];
    for at_once in 1..=sent.len() {
        let (_directory, store) = Store::for_test().await;
        assert_eq!(record_all(&store, &sent, at_once).await, [(1, true), (1, false), (1, false), (1, false)]);
        let rows = store.dump().await;
        let of = |table: &str| rows.iter().filter(|row| row.starts_with(table)).cloned().collect::<Vec<_>>();
        assert!(of("drawing ")[0].contains("Expires=3&Signature=b"), "{rows:?}");
        let renewals =
            of("delivery ").iter().map(|row| row.contains("links_renewed_after: Some(1)")).collect::<Vec<_>>();
        assert_eq!(renewals, [false, true, false, false], "{rows:?}");
        store.close().await;
    }
}

#[tokio::test]
async fn event_says_what_its_proposal_was_before_and_when_it_was_viewed() {
    let status = |body, after| unsigned((Arcsite, body), TimeDelta::seconds(after));
    // The first second of a quarter of an hour is 100 seconds after the start.
    let (before, slot) = (TimeDelta::seconds(100) - ONE_MICROSECOND, TimeDelta::seconds(100));
    let sent = [
        status(r#"{"event":"proposal.status_changed","data":{"proposal_id":1,"project_id":7,"status":"PENDING"}}"#, 0),
        status(r#"{"event":"proposal.status_changed","data":{"proposal_id":1,"project_id":7,"status":"VOID"}}"#, 1),
        status(
            r#"{"event":"proposal.status_changed","data":{"proposal_id":1,"project_id":7,"status":"VOID","name":"a"}}"#,
            2,
        ),
        unsigned((Bidsketch, r#"{"event":"proposal_viewed","data":{"id":2}}"#), before),
        unsigned((Bidsketch, r#"{"event":"proposal_viewed","data":{"id":3}}"#), slot),
    ];
    for at_once in [1, sent.len()] {
        let (_directory, store) = Store::for_test().await;
        record_all(&store, &sent, at_once).await;
        let rows = store.dump().await;
        for (seq, was, view_slot) in [
            (1, "None", "None"),
            (2, "Some(\"PENDING\")", "None"),
            (3, "Some(\"VOID\")", "None"),
            (4, "None", "Some(1888888)"),
            (5, "None", "Some(1888889)"),
        ] {
            let row = rows.iter().find(|row| row.starts_with(&format!("event Model {{ seq: {seq},"))).unwrap();
            assert!(row.contains(&format!("previous_status: {was}, view_slot: {view_slot},")), "{row}");
        }
        // The proposal was decided when it first got the status that stands.
        let row = rows.iter().find(|row| row.starts_with("proposal Model { provider: \"ARCSITE\"")).unwrap();
        assert!(row.contains("decided_at: Some(1700000001000000)"), "{row}");
        store.close().await;
    }
}

#[tokio::test]
async fn event_belongs_to_what_its_proposal_and_drawing_belong_to() {
    let sent = [
        STATUS,
        (
            Arcsite,
            r#"{"event":"proposal.payment.received","data":{"proposal_id":1,"paid_amount":1,"paid_date":"2022-01-16"}}"#,
        ),
        (Arcsite, r#"{"event":"drawing.created","data":{"id":3,"project_id":8}}"#),
        (Arcsite, r#"{"event":"proposal.signed","data":{"drawing_id":3}}"#),
        (Bidsketch, r#"{"event":"proposal_created","data":{"id":1,"client":{"id":9}}}"#),
        (Bidsketch, r#"{"event":"proposal_viewed","data":{"id":1}}"#),
    ];
    let sent = sent.map(|content| unsigned(content, TimeDelta::zero()));
    for at_once in [1, sent.len()] {
        let (_directory, store) = Store::for_test().await;
        record_all(&store, &sent, at_once).await;
        let rows = store.dump().await;
        for (seq, client, project) in
            [(2, "None", "Some(\"7\")"), (4, "None", "Some(\"8\")"), (6, "Some(\"9\")", "None")]
        {
            let row = rows.iter().find(|row| row.starts_with(&format!("event Model {{ seq: {seq},"))).unwrap();
            assert!(row.contains(&format!("client_vendor_id: {client}, project_vendor_id: {project},")), "{row}");
        }
        store.close().await;
    }
}
