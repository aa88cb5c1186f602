//! What becomes of rows, on both databases, and the indexes of the statements.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};
use entity::{event, file};
use sea_orm::sea_query::{PostgresQueryBuilder, SqliteQueryBuilder};
use sea_orm::{DbBackend, EntityTrait, QueryTrait, Statement};

use super::jobs::{DUE, EARLIEST_DEADLINE, EXPIRE, NEXT_ATTEMPT};
use super::recording::{renewable_sql, with_renewable_links};
use super::retention::REMOVED_CONTENTS;
use super::*;
use crate::clock::Time;
use crate::domain::{Digest, FileId, FileKind, FileLink, FileRole, FileState, Seq};
use crate::store::engine::dialect::Dialect;
use crate::store::test_support::PostgresCluster;
use crate::store::{BulkInsert, Store};

/// The deliveries of event 1.
const NEW: Links = Links::New(Seq(1));
const REPEATED: Links = Links::Repeated(Seq(1));

const LINK: &str = "https://files.arcsite.com/a.pdf";

/// A minute of the tests' day.
fn minute(minute: i64) -> Time {
    DateTime::from_timestamp(1_700_000_000 + 60 * minute, 0).unwrap()
}

/// The link that dies at this minute.
fn link(dies: i64) -> FileLink {
    FileLink {
        role: FileRole::Drawing,
        kind: FileKind::Pdf,
        name: Some("Plan".to_owned()),
        drawing: None,
        proposal: None,
        url: format!("{LINK}?Expires={}&Signature=s{dies}", minute(dies).timestamp()),
    }
}

/// Records the links in one transaction, as the files of a new event or as those of a redelivery.
async fn record(store: &Store, links: &[FileLink], at: i64, of: Links) {
    let tx = store.begin().await.unwrap();
    let newest = query_number(&tx, r#"SELECT MAX("id") FROM "file""#, []).await.unwrap().unwrap_or_default();
    let mut files = NewFiles::after(newest, FileRecording::On).renewing_at_most(4);
    let mut batch = BulkInsert::default();
    files.record(links, minute(at), of);
    files.write(&tx, &mut batch).await.unwrap();
    if let Links::New(Seq(seq)) = of {
        batch.insert(&event::Model {
            seq,
            provider: "ARCSITE".to_owned(),
            kind: "DRAWING_UPDATED".to_owned(),
            vendor_type: "drawing.updated".to_owned(),
            subject: "drawing:1".to_owned(),
            identity: seq.to_string(),
            status: None,
            occurred_at: None,
            received_at: minute(at).timestamp_micros(),
            signed_at: (seq % 2 == 0).then_some(1),
            order_key: 0,
            proposal_vendor_id: None,
            client_vendor_id: None,
            project_vendor_id: None,
            drawing_vendor_id: None,
            body: "{}".to_owned(),
            previous_status: None,
            view_slot: None,
            is_counted: Some(true),
        });
    }
    batch.write(&tx).await.unwrap();
    store.commit(tx, None).await.unwrap();
}

/// Runs a write in a transaction of its own.
macro_rules! write {
    ($store:expr, |$tx:ident| $write:expr) => {{
        let $tx = $store.begin().await.unwrap();
        let written = $write.await.unwrap();
        $store.commit($tx, None).await.unwrap();
        written
    }};
}

async fn rows(store: &Store) -> Vec<file::Model> {
    let mut rows = file::Entity::find().all(store.reader()).await.unwrap();
    rows.sort_by_key(|row| row.id);
    rows
}

async fn due_ids(store: &Store, at: i64) -> Vec<i64> {
    due(store.reserved_reader(), minute(at), None, 100).await.unwrap().into_iter().map(|job| job.id.0).collect()
}

fn digest(byte: u8) -> Digest {
    Digest::new([byte; 32])
}

async fn jobs_end_as_they_are_recorded(store: &Store) {
    record(store, &[link(100)], 0, NEW).await;
    record(store, &[link(300)], 0, Links::New(Seq(2))).await;
    record(store, &[link(200)], 0, Links::New(Seq(3))).await;
    // Each event is a version of its own while its link lives.
    assert_eq!(
        rows(store).await.iter().map(|row| row.link.clone()).collect::<Vec<_>>(),
        [100, 300, 200].map(|dies| link(dies).url)
    );
    assert_eq!(due_ids(store, 1).await, [1, 3, 2], "nearest deadline first");
    let after = Some((minute(100), FileId(1)));
    let behind = due(store.reserved_reader(), minute(1), after, 1).await.unwrap();
    assert_eq!(behind.iter().map(|job| job.id.0).collect::<Vec<_>>(), [3], "those behind a job");
    let jobs = due(store.reserved_reader(), minute(1), None, 100).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.is_signed_hook).collect::<Vec<_>>(), [false, false, true]);

    let attempt = Attempt { problem: "the host is busy".to_owned(), next_attempt_at: minute(50), counts: true };
    assert!(write!(store, |tx| record_unfetched(&tx, &jobs[0], &attempt)));
    assert!(write!(store, |tx| record_unfit(&tx, &jobs[1], FileState::Failed, "too large")));
    assert!(!write!(store, |tx| record_unfit(&tx, &jobs[1], FileState::Refused, "late")), "it is no job any more");
    assert!(write!(store, |tx| record_stored(&tx, &jobs[2], (&digest(1), 10), minute(2))));
    assert!(!write!(store, |tx| record_stored(&tx, &jobs[2], (&digest(2), 10), minute(2))), "it is stored");
    assert_eq!(due_ids(store, 1).await, [0; 0]);
    assert_eq!(next_attempt_after(store.reserved_reader(), minute(1)).await.unwrap(), Some(minute(50)));
    assert_eq!(earliest_deadline(store.reserved_reader()).await.unwrap(), Some(minute(100)));
    assert_eq!(due_ids(store, 50).await, [1]);
    // The last problem is the reason.
    assert_eq!(write!(store, |tx| expire(&tx, minute(99))), 0);
    assert_eq!(write!(store, |tx| expire(&tx, minute(100))), 1);
    let states: Vec<(String, Option<String>)> =
        rows(store).await.into_iter().map(|row| (row.state, row.problem)).collect();
    let state = |state: &str, problem: Option<&str>| (state.to_owned(), problem.map(str::to_owned));
    let expected =
        [state("EXPIRED", Some("the host is busy")), state("STORED", None), state("FAILED", Some("too large"))];
    assert_eq!(states, expected);
    assert_eq!(stored_bytes(store.reader()).await.unwrap(), 10);
    let counts = count(store.reader()).await.unwrap();
    assert_eq!(counts.iter().map(|(_, files)| *files).collect::<Vec<_>>(), [0, 1, 1, 0, 1]);

    // A fresh link revives the expired file alone, and an older one nothing.
    record(store, &[link(90)], 210, REPEATED).await;
    assert_eq!(due_ids(store, 210).await, [0; 0]);
    record(store, &[link(400)], 210, REPEATED).await;
    assert_eq!(due_ids(store, 210).await, [1]);
    let revived = rows(store).await.remove(0);
    assert_eq!((revived.problem, revived.attempts, revived.link), (None, 0, link(400).url));
    // Neither a failure nor the bytes of the link before touch it.
    assert!(!write!(store, |tx| record_stored(&tx, &jobs[0], (&digest(3), 10), minute(211))));
    assert!(!write!(store, |tx| record_unfetched(&tx, &jobs[0], &attempt)));
    // A failed file is due again only while its link lives.
    assert_eq!(write!(store, |tx| make_due(&tx, minute(210))), 1);
    assert_eq!(write!(store, |tx| make_due(&tx, minute(190))), 2);
    assert_eq!(due_ids(store, 190).await, [3, 1]);
    assert_eq!(write!(store, |tx| postpone_all(&tx, minute(190), minute(195), "no room")), 2);
    assert_eq!(due_ids(store, 190).await, [0; 0]);
    assert_eq!(count_pending_due(store.reader(), minute(195)).await.unwrap(), 2);
    assert_eq!(pending_extremes(store.reader()).await.unwrap().oldest_received_at, Some(minute(0)));
}

/// The clock was ahead for a moment.
async fn files_that_a_clock_held_back_are_due_again(store: &Store) {
    record(store, &[link(100)], 0, NEW).await;
    record(store, &[link(300)], 0, Links::New(Seq(2))).await;
    record(store, &[link(9000)], 0, Links::New(Seq(3))).await;
    write!(store, |tx| postpone_all(&tx, minute(0), minute(1010), "no room"));
    write!(store, |tx| expire(&tx, minute(1000)));
    let at = minute(150);
    assert!(has_held_back(store.reader(), at).await.unwrap());
    assert_eq!(write!(store, |tx| revive(&tx, at)), 2);
    assert!(!has_held_back(store.reader(), at).await.unwrap());
    let states: Vec<_> = rows(store).await.into_iter().map(|row| (row.state, row.problem.is_some())).collect();
    let pending = ("PENDING".to_owned(), false);
    assert_eq!(states, [("EXPIRED".to_owned(), true), pending.clone(), pending], "one link is dead");
    assert_eq!(due_ids(store, 150).await, [2, 3]);
    write!(store, |tx| postpone_all(&tx, at, at + TimeDelta::hours(1), "the host asks for it"));
    assert!(!has_held_back(store.reader(), at).await.unwrap());
}

/// Where the vendor keeps all versions of a drawing under one path.
async fn fresh_link_is_for_its_event_or_for_dead_links(store: &Store) {
    let links = async || rows(store).await.into_iter().map(|row| (row.link, row.state)).collect::<Vec<_>>();
    let pending = |dies| (link(dies).url, "PENDING".to_owned());
    let expired = |dies| (link(dies).url, "EXPIRED".to_owned());
    record(store, &[link(100)], 0, NEW).await;
    record(store, &[link(200)], 1, Links::New(Seq(2))).await;
    record(store, &[link(300)], 2, REPEATED).await;
    assert_eq!(links().await, [pending(300), pending(200)], "the other event's link lives");
    write!(store, |tx| expire(&tx, minute(200)));
    assert_eq!(links().await, [pending(300), expired(200)]);
    record(store, &[link(400)], 210, Links::New(Seq(3))).await;
    assert_eq!(links().await, [pending(300), pending(400), pending(400)], "a later event revives a dead one");
    // Of two fresh links in one transaction each event has its own; a dead one gets the first.
    write!(store, |tx| expire(&tx, minute(300)));
    let tx = store.begin().await.unwrap();
    let (mut files, mut batch) = (NewFiles::after(3, FileRecording::On), BulkInsert::default());
    files.record(&[link(500)], minute(310), Links::Repeated(Seq(2)));
    files.record(&[link(600)], minute(310), Links::Repeated(Seq(3)));
    files.write(&tx, &mut batch).await.unwrap();
    batch.write(&tx).await.unwrap();
    store.commit(tx, None).await.unwrap();
    assert_eq!(links().await, [pending(500), pending(500), pending(600)]);
    // Rows that are not written yet follow the same rule.
    let (mut files, mut batch) = (NewFiles::after(3, FileRecording::On), BulkInsert::default());
    files.record(&[link(700)], minute(320), Links::New(Seq(4)));
    files.record(&[link(800)], minute(320), Links::New(Seq(5)));
    files.record(&[link(900)], minute(320), Links::Repeated(Seq(4)));
    files.record(&[link(1000)], minute(850), Links::New(Seq(6)));
    let tx = store.begin().await.unwrap();
    files.write(&tx, &mut batch).await.unwrap();
    batch.write(&tx).await.unwrap();
    store.commit(tx, None).await.unwrap();
    assert_eq!(links().await[3..], [pending(900), pending(1000), pending(1000)]);
}

/// A redelivery and each further link reach the files that the limit has left.
async fn files_beyond_the_limit_wait_for_the_next_fresh_link(store: &Store) {
    for seq in 1..=9 {
        record(store, &[link(100)], 0, Links::New(Seq(seq))).await;
    }
    write!(store, |tx| expire(&tx, minute(100)));
    let pending = async || rows(store).await.into_iter().filter(|row| row.state == "PENDING").count();
    for (seq, expected) in [(10, 4 + 1), (11, 8 + 2), (12, 9 + 3)] {
        record(store, &[link(1000)], 200, Links::New(Seq(seq))).await;
        assert_eq!(pending().await, expected, "after event {seq}");
    }
    // Their links live now, so they do not stand before one whose event is delivered again.
    record(store, &[link(2000)], 300, Links::Repeated(Seq(9))).await;
    let links: Vec<_> = rows(store).await.into_iter().map(|row| row.link).collect();
    let expected = |seq| if seq == 9 { link(2000).url } else { link(1000).url };
    assert_eq!(links, (1..=12).map(expected).collect::<Vec<_>>());
}

/// Each link is judged by what the ones before it left, as if each delivery were written alone.
async fn links_of_a_group_are_judged_in_their_order(store: &Store) {
    let fresh = [
        // A later event's link revives the dead one; the redelivery's is not longer.
        vec![(300, 210, Links::New(Seq(2))), (300, 211, REPEATED)],
        // The dead link gets the first that lives, not the longest.
        vec![(400, 310, Links::New(Seq(3))), (900, 311, Links::New(Seq(4)))],
        // A redelivery's link replaces one that lives.
        vec![(500, 320, REPEATED), (600, 321, REPEATED), (550, 322, REPEATED)],
    ];
    record(store, &[link(200)], 0, NEW).await;
    let mut expected = [(300, 210), (400, 310), (600, 321)].into_iter();
    for group in fresh {
        let newest = query_number(store.reader(), r#"SELECT MAX("id") FROM "file""#, []).await.unwrap().unwrap();
        let (mut files, mut batch) = (NewFiles::after(newest, FileRecording::On), BulkInsert::default());
        for (dies, at, of) in group {
            files.record(&[link(dies)], minute(at), of);
        }
        let tx = store.begin().await.unwrap();
        files.write(&tx, &mut batch).await.unwrap();
        batch.write(&tx).await.unwrap();
        store.commit(tx, None).await.unwrap();
        let first = rows(store).await.remove(0);
        let (dies, at) = expected.next().unwrap();
        assert_eq!((first.link, first.next_attempt_at), (link(dies).url, minute(at).timestamp_micros()));
    }
}

/// A later version may have made them.
async fn files_of_unknown_types_wait(store: &Store) {
    record(store, &[link(100), link(200)], 0, NEW).await;
    write!(store, |tx| execute(&tx, r#"UPDATE "file" SET "kind" = $1 WHERE "id" = 1"#, ["DWG".into()]));
    assert_eq!(due_ids(store, 1).await, [2]);
    assert_eq!(count_pending_due(store.reader(), minute(1)).await.unwrap(), 1);
    assert_eq!(FileKind::ALL, [FileKind::Pdf, FileKind::Png], "the statements name the types");
}

async fn removal_marks_rows_then_forgets_their_bytes(store: &Store) {
    for id in 1..=4 {
        record(store, &[link(1000)], 0, Links::New(Seq(id))).await;
        let job = due(store.reserved_reader(), minute(0), None, 1).await.unwrap().remove(0);
        let content = if id == 4 { digest(9) } else { digest(1) };
        assert!(write!(store, |tx| record_stored(&tx, &job, (&content, 10), minute(id))));
    }
    assert_eq!(stored_bytes(store.reader()).await.unwrap(), 20, "equal bytes count once");
    let old = (FileKind::Pdf, minute(3));
    let listed = removable(store.reader(), old, FileId(0), 100).await.unwrap();
    assert_eq!(listed.iter().map(|file| file.id.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(removable(store.reader(), (FileKind::Png, minute(9)), FileId(0), 100).await.unwrap(), []);
    assert_eq!(write!(store, |tx| mark_removed(&tx, old, "removed", 100)), 2);
    assert_eq!(removed_contents(store.reader(), None, 100).await.unwrap(), [digest(1)]);
    assert_eq!(removed_contents(store.reader(), Some(&digest(0)), 100).await.unwrap(), [digest(1)]);
    assert_eq!(removed_contents(store.reader(), Some(&digest(1)), 100).await.unwrap(), []);
    assert!(!has_held_back(store.reader(), minute(9)).await.unwrap(), "a removed file was stored");
    assert_eq!(newest_deadline(store.reader()).await.unwrap(), Some(minute(1000)));
    assert!(is_kept(store.reader(), &digest(1)).await.unwrap(), "file 3 has the same bytes");
    write!(store, |tx| clear_removed(&tx, &digest(1)));
    assert_eq!(removed_contents(store.reader(), None, 100).await.unwrap(), []);
    assert!(is_kept(store.reader(), &digest(1)).await.unwrap());
    assert_eq!(write!(store, |tx| mark_removed(&tx, (FileKind::Pdf, minute(9)), "removed", 1)), 1);
    assert!(!is_kept(store.reader(), &digest(1)).await.unwrap(), "no file has these bytes now");
    // Neither a fresh link nor a command brings a removed file back.
    record(store, &[link(2000)], 10, REPEATED).await;
    assert_eq!(write!(store, |tx| make_due(&tx, minute(10))), 0);
    let states: Vec<String> = rows(store).await.into_iter().map(|row| row.state).collect();
    assert_eq!(states, ["EXPIRED", "EXPIRED", "EXPIRED", "STORED"]);
}

#[tokio::test]
async fn rows_of_sqlite_follow_the_results() {
    let (_directory, store) = Store::for_test().await;
    jobs_end_as_they_are_recorded(&store).await;
    let (_directory, store) = Store::for_test().await;
    removal_marks_rows_then_forgets_their_bytes(&store).await;
    let (_directory, store) = Store::for_test().await;
    fresh_link_is_for_its_event_or_for_dead_links(&store).await;
    let (_directory, store) = Store::for_test().await;
    files_of_unknown_types_wait(&store).await;
    let (_directory, store) = Store::for_test().await;
    links_of_a_group_are_judged_in_their_order(&store).await;
    let (_directory, store) = Store::for_test().await;
    files_beyond_the_limit_wait_for_the_next_fresh_link(&store).await;
    let (_directory, store) = Store::for_test().await;
    files_that_a_clock_held_back_are_due_again(&store).await;
}

#[tokio::test]
async fn rows_of_postgresql_follow_the_results() {
    let cluster = PostgresCluster::start();
    let store = cluster.new_store().await;
    jobs_end_as_they_are_recorded(&store).await;
    store.close().await;
    let store = cluster.new_store().await;
    removal_marks_rows_then_forgets_their_bytes(&store).await;
    store.close().await;
    let store = cluster.new_store().await;
    fresh_link_is_for_its_event_or_for_dead_links(&store).await;
    store.close().await;
    let store = cluster.new_store().await;
    files_of_unknown_types_wait(&store).await;
    store.close().await;
    let store = cluster.new_store().await;
    links_of_a_group_are_judged_in_their_order(&store).await;
    store.close().await;
    let store = cluster.new_store().await;
    files_beyond_the_limit_wait_for_the_next_fresh_link(&store).await;
    store.close().await;
    let store = cluster.new_store().await;
    files_that_a_clock_held_back_are_due_again(&store).await;
    store.close().await;
}

#[tokio::test]
async fn link_that_says_it_lives_for_centuries_lives_for_a_week() {
    let (_directory, store) = Store::for_test().await;
    let endless = FileLink { url: format!("{LINK}?Expires=9999999999&Signature=s"), ..link(0) };
    record(&store, std::slice::from_ref(&endless), 0, NEW).await;
    let deadline = earliest_deadline(store.reserved_reader()).await.unwrap();
    assert_eq!(deadline, Some(minute(0) + TimeDelta::days(7)));
    record(&store, &[endless], 10, REPEATED).await;
    let deadline = earliest_deadline(store.reserved_reader()).await.unwrap();
    assert_eq!(deadline, Some(minute(10) + TimeDelta::days(7)), "a redelivery gives it another week");
}

#[tokio::test]
async fn link_without_a_time_lives_for_a_day() {
    let (_directory, store) = Store::for_test().await;
    let lasting = FileLink { url: LINK.to_owned(), ..link(0) };
    record(&store, &[lasting], 0, NEW).await;
    let deadline = earliest_deadline(store.reserved_reader()).await.unwrap();
    assert_eq!(deadline, Some(minute(0) + TimeDelta::hours(24)));
}

/// The statements that run for each group of deliveries and each wake of the worker.
#[tokio::test]
async fn statements_of_the_worker_use_the_partial_indexes() {
    let lookups = [
        renewable_sql(&[[Some("a")], [Some("b")]]),
        with_renewable_links(&["a", "b"], &BTreeSet::from([1, 2]), 0, 4).into_query(),
    ];
    let plans = |dialect| {
        let [keys, files] = lookups.each_ref().map(|lookup| match dialect {
            Dialect::Sqlite => lookup.to_string(SqliteQueryBuilder),
            Dialect::Postgres => lookup.to_string(PostgresQueryBuilder),
        });
        [
            (keys, "file_renewable"),
            (files, "file_renewable"),
            (DUE.to_owned(), "file_deadline"),
            (NEXT_ATTEMPT.to_owned(), "file_due"),
            (EARLIEST_DEADLINE.to_owned(), "file_deadline"),
            (EXPIRE.to_owned(), "file_deadline"),
            (REMOVED_CONTENTS.replace("$1", "'a'"), "file_removed"),
        ]
    };
    let literal = |sql: &str| {
        sql.replace("$1", "1700000000000000").replace("$2", "100").replace("$3", "100").replace("$4", "100")
    };
    let (_directory, sqlite) = Store::for_test().await;
    for (sql, index) in plans(Dialect::Sqlite) {
        let statement = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {}", literal(&sql)));
        let rows = sqlite.reader().query_all_raw(statement).await.unwrap();
        let plan: Vec<String> = rows.into_iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{sql}: {plan:?}");
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{sql} sorts: {plan:?}");
    }
    let cluster = PostgresCluster::start();
    let postgres = cluster.new_store().await;
    let tx = postgres.begin().await.unwrap();
    for (sql, index) in plans(Dialect::Postgres) {
        let statement = Statement::from_string(DbBackend::Postgres, format!("EXPLAIN {}", literal(&sql)));
        let rows = tx.query_all_raw(statement).await.unwrap();
        let plan: Vec<String> = rows.into_iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{sql}: {plan:#?}");
        assert!(!plan.iter().any(|line| line.contains("Sort  (")), "{sql} sorts: {plan:#?}");
    }
    tx.rollback().await.unwrap();
    postgres.close().await;
}
