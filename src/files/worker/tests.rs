//! The worker itself, over a real database and folder.

use super::*;
use crate::files::outbound::OutboundSettings;
use crate::store::files::count;

impl Worker {
    /// A worker over an empty database and a folder, that may fetch from this machine.
    pub(super) async fn for_test(clock: Clock) -> (tempfile::TempDir, Self) {
        let (directory, store) = Store::for_test().await;
        let settings = OutboundSettings { allowed_hosts: Vec::new(), allow_loopback: true, proxy: None };
        let parts = Parts {
            store,
            files: FileStore::open(directory.path().join("files").to_str().unwrap()).unwrap(),
            outbound: Outbound::new(settings, clock.clone()).unwrap(),
            clock,
            downloads: Handle::current(),
            stopping: CancellationToken::new(),
        };
        (directory, Self::new(parts, &config::Settings::defaults().unwrap().files))
    }
}

#[tokio::test(start_paused = true)]
async fn clock_that_shows_less_than_it_must_has_gone_back() {
    let seen = (Clock::system().now(), Instant::now());
    tokio::time::advance(Duration::from_secs(600)).await;
    for (seconds, has_gone) in [(600, false), (541, false), (539, true), (-100, true), (9999, false)] {
        assert_eq!(has_gone_back(seen, seen.0 + TimeDelta::seconds(seconds)), has_gone, "{seconds}");
    }
}

#[tokio::test]
async fn files_that_a_wrong_clock_gave_up_are_taken_up_again() {
    let (_directory, mut worker) = Worker::for_test(Clock::system()).await;
    let store = worker.context.store.clone();
    let expired = async || count(store.reader()).await.unwrap().contains(&(FileState::Expired, 1));
    // A clock that is this little ahead is not wrong.
    let mut expires = worker.context.clock.now() + CLOCK_STEP_MIN;
    store.insert_file(1, FileState::Expired, expires).await;
    worker.work().await.unwrap();
    assert!(expired().await);
    expires += TimeDelta::hours(1);
    store.execute(&format!("UPDATE file SET link_expires_at = {}", expires.timestamp_micros())).await;
    worker.work().await.unwrap();
    assert!(expired().await, "the clock has not changed since");
    worker.clock_seen = None;
    worker.work().await.unwrap();
    assert!(!expired().await);
}

#[tokio::test]
#[should_panic(expected = "the gauges read the clock")]
async fn panic_of_the_gauges_ends_the_worker() {
    let clock = Clock::from_fn(|| {
        // The gauges alone run in a spawned task.
        assert!(tokio::task::try_id().is_none(), "the gauges read the clock");
        Clock::system().now()
    });
    let (_directory, worker) = Worker::for_test(clock).await;
    tokio::time::timeout(Duration::from_secs(60), worker.run()).await.expect("the worker ends");
}
