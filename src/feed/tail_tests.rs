//! What the tail in memory holds, exactly at its bounds. The database is closed, so that a page can
//! come from the tail alone.

use futures_util::{FutureExt, TryStreamExt};
use tokio::time::timeout;

use super::model_tests::append;
use super::*;

const UNBOUNDED: (usize, usize) = (usize::MAX, usize::MAX);
/// The length of each body here: ten letters, in quotes.
const BODY: usize = 12;

/// A feed whose tail has seen five events, of a database that is closed since.
async fn closed_feed(held: (usize, usize), page_bounds: (u64, usize)) -> (Feed, Store) {
    let (_directory, store) = Store::for_test().await;
    let feed = Feed::with_bounds(store.clone(), TailBounds { held, ..TailBounds::DEFAULT }, page_bounds);
    let filling = tokio::spawn({
        let feed = feed.clone();
        async move { feed.run().await }
    });
    let mut heads = feed.tail.subscribe();
    append(&store, &mut Vec::new(), &[(true, BODY - 2); 5]).await;
    timeout(Duration::from_secs(20), heads.wait_for(|head| *head == Seq(5))).await.unwrap().unwrap();
    filling.abort();
    store.clone().close().await;
    (feed, store)
}

/// The seqs of the page after a place, and whether it reaches the head. `None` if the tail does not
/// have it.
async fn page_after(feed: &Feed, store: &Store, after: i64, limit: u64) -> Option<(Vec<i64>, bool)> {
    let page = feed.read_page(store.reader(), &EventFilter::default(), Seq(after), limit).await.ok()?;
    Some((page.events.iter().map(|event| event.seq.0).collect(), page.caught_up))
}

#[tokio::test]
async fn tail_that_evicted_nothing_has_the_log_since_it_began() {
    let (feed, store) = closed_feed((5, 5 * BODY), PAGE_BOUNDS).await;
    assert_eq!(page_after(&feed, &store, 0, 9).await, Some((vec![1, 2, 3, 4, 5], true)));
}

#[tokio::test]
async fn full_tail_has_as_many_events_and_bytes_as_its_bounds() {
    for held in [(2, UNBOUNDED.1), (UNBOUNDED.0, 2 * BODY), (2, 2 * BODY)] {
        let (feed, store) = closed_feed(held, PAGE_BOUNDS).await;
        assert_eq!(page_after(&feed, &store, 3, 9).await, Some((vec![4, 5], true)), "{held:?}");
        assert_eq!(page_after(&feed, &store, 2, 9).await, None, "{held:?}");
    }
}

#[tokio::test]
async fn page_has_as_many_events_and_bytes_as_its_bounds() {
    for (bytes, limit, expected) in [
        (2 * BODY, 9, (vec![4, 5], true)),
        (2 * BODY - 1, 9, (vec![4], false)),
        (1, 9, (vec![4], false)),
        (UNBOUNDED.1, 2, (vec![4, 5], true)),
        (UNBOUNDED.1, 1, (vec![4], false)),
    ] {
        let (feed, store) = closed_feed(UNBOUNDED, (9, bytes)).await;
        assert_eq!(page_after(&feed, &store, 3, limit).await, Some(expected), "{bytes} bytes, {limit} events");
    }
}

#[tokio::test]
async fn follower_gets_its_first_page_at_once_and_no_other_until_the_log_grows() {
    let (feed, _store) = closed_feed(UNBOUNDED, PAGE_BOUNDS).await;
    for (after, expected) in [(0, vec![1, 2, 3, 4, 5]), (4, vec![5]), (5, vec![])] {
        let mut pages = std::pin::pin!(feed.follow_pages(EventFilter::default(), Seq(after), 9));
        let first = pages.try_next().now_or_never().unwrap().unwrap().unwrap();
        assert_eq!(first.events.iter().map(|event| event.seq.0).collect::<Vec<_>>(), expected);
        assert!(pages.try_next().now_or_never().is_none(), "after {after}");
    }
}

#[tokio::test]
async fn tail_without_followers_is_empty_and_knows_the_head() {
    let (_directory, store) = Store::for_test().await;
    let feed = Feed::with_bounds(store.clone(), TailBounds::DEFAULT, PAGE_BOUNDS);
    let filling = tokio::spawn({
        let feed = feed.clone();
        async move { feed.run().await }
    });
    append(&store, &mut Vec::new(), &[(true, 1); 3]).await;
    let knows_the_head = async {
        while feed.tail.head() < Seq(3) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), knows_the_head).await.unwrap();
    filling.abort();
    store.clone().close().await;
    assert_eq!(page_after(&feed, &store, 2, 9).await, None);
    assert_eq!(page_after(&feed, &store, 3, 9).await, Some((vec![], true)));
}
