//! Followers against a model: the list of each follower is the log after the place where it began.
//!
//! The bounds are tiny, so that a few events reach every boundary: of the tail in memory, of what
//! fills it, and of a follower's page.

use futures_util::stream::BoxStream;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use tokio::time::timeout;

use super::*;
use crate::clock::Clock;
use crate::domain::{Change, DedupWindow, Event, EventKind, Identity, Provider, References, Subject};
use crate::store::test_support::PostgresCluster;
use crate::store::{BulkInsert, log};

/// How long an event that is in the log may take to a follower.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(20);

/// The kinds of the model's events. A follower follows all of them, or the first one.
const KINDS: [EventKind; 2] = [EventKind::ProjectCreated, EventKind::DrawingCreated];

/// A step of a test.
#[derive(Clone, Debug)]
enum Step {
    /// Commits a group of events: the kind of each, and the length of its body.
    Append(Vec<(bool, usize)>),
    /// A follower begins after a place in the log.
    Begin { place: Index, is_filtered: bool },
    /// A follower takes some of the events that it has not seen. Without this step it is slow.
    Take { follower: Index, count: usize },
    /// A follower breaks off. It resumes after the last event that it has seen.
    BreakOff { follower: Index },
    /// A follower reads what is between two places, and ends.
    CatchUp { place: Index, up_to: Index, is_filtered: bool },
    /// Something reads a page of the log.
    ReadPage { place: Index, limit: u64, is_filtered: bool },
}

/// What a step of each kind needs. The weights keep some followers behind the tail.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let events = vec((any::<bool>(), 0..40_usize), 1..8);
    let place = any::<Index>;
    let step = prop_oneof![
        4 => events.prop_map(Step::Append),
        2 => (place(), any::<bool>()).prop_map(|(place, is_filtered)| Step::Begin { place, is_filtered }),
        4 => (place(), 1..12_usize).prop_map(|(follower, count)| Step::Take { follower, count }),
        1 => place().prop_map(|follower| Step::BreakOff { follower }),
        2 => (place(), place(), any::<bool>())
            .prop_map(|(place, up_to, is_filtered)| Step::CatchUp { place, up_to, is_filtered }),
        2 => (place(), 1..6_u64, any::<bool>())
            .prop_map(|(place, limit, is_filtered)| Step::ReadPage { place, limit, is_filtered }),
    ];
    vec(step, 1..40)
}

fn tiny_bounds() -> impl Strategy<Value = (TailBounds, (u64, usize))> {
    (1..6_usize, 1..120_usize, 1..5_u64, 1..100_u64, 1..5_u64, 1..100_usize).prop_map(
        |(events, bytes, fill, fill_bytes, page, page_bytes)| {
            (TailBounds { held: (events, bytes), read_at_once: (fill, fill_bytes) }, (page, page_bytes))
        },
    )
}

/// The model: the kinds of all events. The event at an index has the next seq.
pub(super) type Log = Vec<EventKind>;

struct Follower {
    filter: EventFilter,
    begun_after: Seq,
    seen: Vec<Seq>,
    events: BoxStream<'static, FeedItem>,
}

fn filter_of(is_filtered: bool) -> EventFilter {
    EventFilter { kinds: is_filtered.then(|| vec![KINDS[0]]), ..EventFilter::default() }
}

/// The seqs after a place that a filter matches.
fn expected(log: &Log, filter: &EventFilter, after: Seq) -> Vec<Seq> {
    let seqs = (1..).map(Seq).zip(log);
    let matching = seqs.filter(|(_, kind)| filter.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind)));
    matching.map(|(seq, _)| seq).filter(|seq| *seq > after).collect()
}

fn event(kind: EventKind, number: usize) -> Event {
    Event {
        provider: Provider::Arcsite,
        kind,
        vendor_type: "model".to_owned(),
        subject: Subject(format!("model:{number}")),
        references: References::default(),
        identity: Identity { digest: format!("{number:064x}"), dedup_window: DedupWindow::Unlimited },
        occurred_at: None,
        state_updated_at: None,
        status: None,
        change: Change::Nothing,
        files: Vec::new(),
        unread: None,
    }
}

/// Commits a group of events. Each has one of two kinds, and a body of some letters.
pub(super) async fn append(store: &Store, model: &mut Log, events: &[(bool, usize)]) {
    let tx = store.begin().await.unwrap();
    let mut batch = BulkInsert::default();
    for (is_first_kind, length) in events {
        let kind = KINDS[usize::from(!is_first_kind)];
        model.push(kind);
        let (number, body) = (model.len(), format!("\"{}\"", "x".repeat(*length)));
        let entry = log::Entry {
            seq: Seq(i64::try_from(number).unwrap()),
            event: &event(kind, number),
            received_at: Clock::system().now(),
            signed_at: None,
            body: &body,
        };
        log::append(&mut batch, &entry, &log::Derived::default());
    }
    batch.write(&tx).await.unwrap();
    store.commit(tx, Some(Seq(i64::try_from(model.len()).unwrap()))).await.unwrap();
}

/// Takes the next events of a follower, which must be those of the model.
async fn take(follower: &mut Follower, log: &Log, count: usize) {
    let expected = expected(log, &follower.filter, follower.begun_after);
    for seq in expected.iter().skip(follower.seen.len()).take(count) {
        let next = timeout(ARRIVAL_TIMEOUT, follower.events.next()).await;
        let next = next.unwrap_or_else(|_| panic!("{seq:?} does not arrive after {:?}", follower.seen));
        assert_eq!(next.unwrap().unwrap().seq, *seq, "after {:?}", follower.seen);
        follower.seen.push(*seq);
    }
}

async fn check(store: Store, bounds: (TailBounds, (u64, usize)), steps: Vec<Step>) {
    let feed = Feed::with_bounds(store.clone(), bounds.0, bounds.1);
    let filling = tokio::spawn({
        let feed = feed.clone();
        async move { feed.run().await }
    });
    let (mut log, mut followers) = (Log::new(), Vec::<Follower>::new());
    let head = |log: &Log| Seq(i64::try_from(log.len()).unwrap());
    let place_in = |log: &Log, place: Index| Seq(i64::try_from(place.index(log.len() + 1)).unwrap());
    for step in steps {
        match step {
            Step::Append(events) => append(&store, &mut log, &events).await,
            Step::Begin { place, is_filtered } => {
                let (filter, begun_after) = (filter_of(is_filtered), place_in(&log, place));
                let events = feed.follow(filter.clone(), begun_after).boxed();
                followers.push(Follower { filter, begun_after, seen: Vec::new(), events });
            }
            Step::Take { follower, count } if !followers.is_empty() => {
                take(follower.get_mut(&mut followers), &log, count).await;
            }
            Step::BreakOff { follower } if !followers.is_empty() => {
                let follower = follower.get_mut(&mut followers);
                let resumed_after = follower.seen.last().copied().unwrap_or(follower.begun_after);
                follower.events = feed.follow(follower.filter.clone(), resumed_after).boxed();
            }
            Step::Take { .. } | Step::BreakOff { .. } => {}
            Step::CatchUp { place, up_to, is_filtered } => {
                let (filter, after, up_to) = (filter_of(is_filtered), place_in(&log, place), place_in(&log, up_to));
                let events = feed.catch_up(filter.clone(), after, up_to).map_ok(|event| event.seq);
                let seqs: Vec<Seq> = timeout(ARRIVAL_TIMEOUT, events.try_collect()).await.unwrap().unwrap();
                let between: Vec<Seq> =
                    expected(&log, &filter, after).into_iter().filter(|seq| *seq <= up_to).collect();
                assert_eq!(seqs, between, "after {after:?}, up to {up_to:?}");
            }
            Step::ReadPage { place, limit, is_filtered } => {
                let (filter, after) = (filter_of(is_filtered), place_in(&log, place));
                let page = feed.read_page(store.reader(), &filter, after, limit).await.unwrap();
                let seqs: Vec<Seq> = page.events.iter().map(|event| event.seq).collect();
                let all = expected(&log, &filter, after);
                assert!(seqs.len() <= usize::try_from(limit).unwrap() && all.starts_with(&seqs), "{seqs:?} of {all:?}");
                assert_eq!(page.caught_up, page.position == head(&log));
                assert_eq!(seqs.len(), all.iter().filter(|seq| **seq <= page.position).count(), "{page:?}");
                assert!(page.position > after || after == head(&log), "{page:?} is not a step forward");
            }
        }
    }
    for follower in &mut followers {
        take(follower, &log, usize::MAX).await;
    }
    filling.abort();
    let _ = filling.await;
    drop((feed, followers));
    store.close().await;
}

fn check_on(
    runtime: &tokio::runtime::Runtime,
    cases: u32,
    new_store: impl AsyncFn() -> (Option<tempfile::TempDir>, Store),
) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&(tiny_bounds(), steps()), |(bounds, steps)| {
        runtime.block_on(async {
            let (_directory, store) = new_store().await;
            check(store, bounds, steps).await;
        });
        Ok(())
    });
    result.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn every_follower_sees_the_log_on_sqlite() {
    check_on(&runtime(), 48, async || {
        let (directory, store) = Store::for_test().await;
        (Some(directory), store)
    });
}

#[test]
fn every_follower_sees_the_log_on_postgresql() {
    let cluster = PostgresCluster::start();
    check_on(&runtime(), 12, async || (None, cluster.new_store().await));
}
