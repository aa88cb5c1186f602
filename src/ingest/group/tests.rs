//! Deliveries leave the same rows, however they are grouped.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tokio::time::timeout;

use super::super::normalise::normalise;
use super::super::rebuild::{RebuildProgress, rebuild};
use super::super::record::{DedupWindowLengths, Receipt, record};
use super::super::recount::count_events;
use super::super::verify::Delivery;
use super::*;
use crate::domain::Provider;
use crate::store::test_support::PostgresCluster;

const WINDOWS: DedupWindowLengths =
    DedupWindowLengths { state: TimeDelta::hours(24), occurrence: TimeDelta::minutes(2) };

/// How long counting may take.
const COUNTING_TIMEOUT: Duration = Duration::from_secs(20);

/// A delivery of a test: vendor, body, milliseconds since the delivery before it, and how many
/// seconds before its receipt it was signed.
type TestDelivery = (Provider, String, i64, Option<i64>);

/// Few ids and few values, so that deliveries repeat, change and link each other.
fn deliveries() -> impl Strategy<Value = Vec<TestDelivery>> {
    let id = || 1..4_u8;
    // The last one holds characters that JSON must escape and that neither database may change.
    let odd = r#","name":"\"\\ \u0000\u0001\n'é\ud83d\ude00 \\u0000""#;
    let name = move || select(vec!["", r#","name":null"#, r#","name":"a""#, r#","name":"""#, odd]);
    let tags = || select(vec!["", r#","tags":[]"#, r#","tags":["x"]"#, r#","tags":["x","y"]"#, r#","tags":null"#]);
    // Days after the arrival.
    let ahead = r#","updated_at":"2024-01-17T04:19:23""#;
    let updated_at =
        || select(vec!["", r#","updated_at":"2022-01-16T04:19:23""#, r#","updated_at":"2022-01-17T04:19:23""#, ahead]);
    let of = |event: &'static str, data: String| format!(r#"{{"event":"{event}","data":{{{data}}}}}"#);
    let project = (select(vec!["project.created", "project.updated"]), id(), name(), tags(), updated_at())
        .prop_map(move |(event, id, name, tags, at)| of(event, format!(r#""id":{id}{name}{tags}{at}"#)));
    // A repeated link may be signed to expire later or earlier.
    let link = || {
        option::of((select(vec!["a", "b"]), 1..4_u8)).prop_map(|link| {
            let of =
                |(file, expires)| format!(r#","pdf_url":"https://x/{file}.pdf?Expires={expires}&Signature={expires}""#);
            link.map(of).unwrap_or_default()
        })
    };
    let drawing = (select(vec!["drawing.created", "drawing.updated"]), id(), id(), name(), link()).prop_map(
        move |(event, id, project, name, link)| of(event, format!(r#""id":{id},"project_id":{project}{name}{link}"#)),
    );
    // The links of proposals are those of drawings too, so that files of different events share
    // them.
    let status = (id(), id(), select(vec!["PENDING", "VIEWED", "VOID"]), option::of(id()), link(), link()).prop_map(
        move |(id, project, status, drawing, link, of_option)| {
            let drawing = drawing.map(|id| format!(r#""drawing_id":{id}"#)).unwrap_or_default();
            let option = if drawing.is_empty() { String::new() } else { format!(r#"{{{drawing}{of_option}}}"#) };
            let options = format!(r#","proposal_options":[{option}]"#);
            let approved =
                if drawing.is_empty() { String::new() } else { format!(r#","approved_option":{{{drawing}}}"#) };
            of(
                "proposal.status_changed",
                format!(r#""proposal_id":{id},"project_id":{project},"status":"{status}"{link}{approved}{options}"#),
            )
        },
    );
    let sent = id().prop_map(move |id| of("proposal.sent", format!(r#""proposal_id":{id}"#)));
    let signed = (id(), option::of((select(vec!["a", "b"]), 1..4_u8))).prop_map(move |(id, link)| {
        let link = link
            .map(|(file, expires)| format!(r#","url":"https://x/{file}.pdf?Expires={expires}&Signature={expires}""#));
        of("proposal.signed", format!(r#""drawing_id":{id}{}"#, link.unwrap_or_default()))
    });
    let paid =
        (id(), option::of(id()), select(vec![r#""paid_time":"2022-01-16T04:19:23""#, r#""paid_date":"2022-01-16""#]))
            .prop_map(move |(id, drawing, when)| {
                let drawing = drawing.map(|id| format!(r#","drawing_id":{id}"#)).unwrap_or_default();
                of("proposal.payment.received", format!(r#""proposal_id":{id}{drawing},"paid_amount":1.5,{when}"#))
            });
    let invalid = Just(of("project.created", String::new()));
    let of_arcsite =
        prop_oneof![3 => project, 3 => drawing, 2 => status, 1 => sent, 1 => signed, 2 => paid, 1 => invalid];
    let client = (id(), name()).prop_map(move |(id, name)| of("client_created", format!(r#""id":{id}{name}"#)));
    let kinds = vec!["proposal_created", "proposal_viewed", "proposal_sent", "proposal_accepted", "proposal_declined"];
    let client_of =
        || option::of(id()).prop_map(|id| id.map(|id| format!(r#","client":{{"id":{id}}}"#)).unwrap_or_default());
    let proposal = (select(kinds), id(), client_of(), name(), updated_at())
        .prop_map(move |(event, id, client, name, at)| of(event, format!(r#""id":{id}{client}{name}{at}"#)));
    let of_bidsketch = prop_oneof![1 => client, 4 => proposal];
    let sent = prop_oneof![
        2 => of_arcsite.prop_map(|body| (Provider::Arcsite, body)),
        1 => of_bidsketch.prop_map(|body| (Provider::Bidsketch, body)),
    ];
    // Another node's clock may be behind.
    let later = select(vec![0_i64, 1, 700, 50_000, 100_000_000, -60_000]);
    let delivery = (sent, later, option::of(select(vec![0_i64, 5])))
        .prop_map(|((provider, body), later, signed)| (provider, body, later, signed));
    vec(delivery, 1..60)
}

fn normalise_all(deliveries: &[TestDelivery]) -> Vec<NormalisedDelivery> {
    let mut received_at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    deliveries
        .iter()
        .map(|(provider, body, later, signed)| {
            received_at += TimeDelta::milliseconds(*later);
            let signed_at = signed.map(|before| received_at.timestamp() - before);
            let content = (Vec::new(), body.clone().into_bytes());
            let delivery = Delivery::from_quarantine(*provider, received_at, signed_at, content);
            NormalisedDelivery { event: normalise(*provider, body), delivery }
        })
        .collect()
}

/// Records deliveries in groups of these sizes. The last size is repeated.
async fn record_in_groups(store: Store, deliveries: &[TestDelivery], sizes: &[usize]) -> (Vec<Receipt>, Vec<String>) {
    let incoming = normalise_all(deliveries);
    let (mut remaining, mut receipts, mut sizes) = (&incoming[..], Vec::new(), sizes.iter());
    let mut size = 1;
    while !remaining.is_empty() {
        size = sizes.next().copied().unwrap_or(size).min(remaining.len());
        let (group_deliveries, rest) = remaining.split_at(size);
        let group_deliveries: Vec<&NormalisedDelivery> = group_deliveries.iter().collect();
        let mut group =
            CommitGroup::begin(store.begin().await.unwrap(), &group_deliveries, FileRecording::On).await.unwrap();
        for incoming in group_deliveries {
            receipts.push(record(&mut group, incoming, WINDOWS).await.unwrap());
        }
        group.flush().await.unwrap().commit(&store).await.unwrap();
        remaining = rest;
    }
    store.assert_last_event_times().await;
    let rows = store.dump().await;
    // A rebuild gives the same rows.
    let events = rows.iter().filter(|row| row.starts_with("event ")).count() as u64;
    let progress = rebuild(&store, |_| {}).await.unwrap();
    assert_eq!(progress, RebuildProgress { done: events, total: events, skipped: 0 });
    assert_eq!(store.dump().await, rows);
    // So does counting the events of proposals again.
    store.forget_counts().await;
    timeout(COUNTING_TIMEOUT, count_events(&store)).await.expect("no event stays uncounted").unwrap();
    assert_eq!(store.dump().await, rows);
    store.close().await;
    (receipts, rows)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn grouped_deliveries_leave_the_same_rows_as_single_ones(all in deliveries(), sizes in vec(1_usize..40, 1..6)) {
        let (alone, grouped) = runtime().block_on(async {
            let ((_first_directory, first), (_second_directory, second)) = (Store::for_test().await, Store::for_test().await);
            (record_in_groups(first, &all, &[1]).await, record_in_groups(second, &all, &sizes).await)
        });
        prop_assert_eq!(alone, grouped);
    }
}

/// PostgreSQL writes a group with its own statements.
#[test]
fn grouped_deliveries_on_postgresql_leave_the_same_rows() {
    let (runtime, cluster) = (runtime(), PostgresCluster::start());
    let mut runner = TestRunner::new(config(12));
    let cases = (deliveries(), vec(1_usize..40, 1..6));
    let result = runner.run(&cases, |(all, sizes)| {
        let (alone, grouped) = runtime.block_on(async {
            let ((_directory, sqlite), postgres) = (Store::for_test().await, cluster.new_store().await);
            (record_in_groups(sqlite, &all, &[1]).await, record_in_groups(postgres, &all, &sizes).await)
        });
        prop_assert_eq!(alone, grouped);
        Ok(())
    });
    result.unwrap();
}

/// A statement whose plan depends on its values would be planned for each group, under the write
/// lock.
#[tokio::test]
async fn group_statements_are_few_and_planned_once() {
    let cluster = PostgresCluster::start();
    let store = cluster.new_store().await;
    let arcsite =
        |event: &str, data: String| (Provider::Arcsite, format!(r#"{{"event":"{event}","data":{{{data}}}}}"#), 1, None);
    let all: Vec<TestDelivery> = (0..400)
        .flat_map(|id| {
            [
                arcsite("project.created", format!(r#""id":{id},"tags":["x"]"#)),
                arcsite("drawing.updated", format!(r#""id":{id},"project_id":{id}"#)),
                arcsite("proposal.sent", format!(r#""proposal_id":{id}"#)),
                arcsite("project.created", format!(r#""id":{},"tags":["x"]"#, id / 2)),
            ]
        })
        .collect();
    let incoming = normalise_all(&all);
    for incoming in incoming.chunks(16) {
        let incoming: Vec<&NormalisedDelivery> = incoming.iter().collect();
        let mut group = CommitGroup::begin(store.begin().await.unwrap(), &incoming, FileRecording::On).await.unwrap();
        for incoming in incoming {
            record(&mut group, incoming, WINDOWS).await.unwrap();
        }
        group.flush().await.unwrap().commit(&store).await.unwrap();
    }
    // All groups used one connection.
    let (generic, custom) = store.plan_counts().await;
    assert!(generic > 100 && custom == 0, "{generic} generic plans, {custom} custom plans");
    // The rows that a group needs are read at once, not for each delivery.
    let groups = i64::try_from(incoming.len().div_ceil(16)).unwrap();
    assert!(generic <= 20 * groups, "{generic} statements for {groups} groups of 16 deliveries");
    store.close().await;
}
