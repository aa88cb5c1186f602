//! What a running service knows of the keys: a snapshot that is read again several times a second, so that no request has to
//! wait for the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::access::Grant;
use super::{Access, AccessError, ApiKey, token};
use crate::store::{Store, StoreError, keys};

/// How often the keys are read.
const REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// How old the snapshot may be to let anybody in: so long a revoked key can work at most.
const SNAPSHOT_AGE_MAX: Duration = Duration::from_secs(1);
/// How long a connection may take to be made again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the database has to answer, be it the watch's or a late request's question.
const READ_TIMEOUT: Duration = Duration::from_millis(500);

/// The keys, as they were less than a second ago.
#[derive(Clone, Debug)]
pub struct Keys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// Whether the settings let anybody in while there is no key.
    open_without_keys: bool,
    snapshot: watch::Sender<Arc<Snapshot>>,
    /// When the database was asked for what the snapshot has.
    read_at: watch::Sender<Instant>,
    /// One reads at a time.
    refresh_lock: Mutex<()>,
}

/// The keys that are not revoked, at one moment.
#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    by_hash: HashMap<String, ApiKey>,
    /// Not so once the keys could not be read for longer than [`FRESH_FOR`].
    is_confirmed: bool,
}

impl Keys {
    /// The keys of this database. `open_without_keys`: whether the settings let anybody in while there is none.
    ///
    /// # Errors
    ///
    /// Where they cannot be read.
    pub async fn new(store: Store, open_without_keys: bool) -> Result<Self, StoreError> {
        let read_at = watch::Sender::new(Instant::now());
        let by_hash = keys::active(store.keys_reader()).await?;
        let snapshot = watch::Sender::new(Arc::new(Snapshot { by_hash, is_confirmed: true }));
        Ok(Self(Arc::new(Inner { store, open_without_keys, snapshot, read_at, refresh_lock: Mutex::new(()) })))
    }

    /// How many keys there are that are not revoked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.snapshot().by_hash.len()
    }

    /// Whether, by what is known last, anybody of this machine is let in.
    #[must_use]
    pub fn is_open_mode(&self) -> bool {
        self.0.open_without_keys && self.snapshot().by_hash.is_empty()
    }

    /// What a request may do that brings this token, or none.
    ///
    /// # Errors
    ///
    /// Where it is not let in, or the keys could not be read for a second.
    pub async fn authenticate(&self, token: Option<&str>) -> Result<Access, AccessError> {
        if !self.is_fresh() {
            // The watch is late: a busy machine, or a database that does not answer. Whoever comes now looks for itself.
            let _ = timeout(READ_TIMEOUT, self.refresh()).await;
        }
        if !self.is_fresh() {
            return Err(AccessError::Unavailable);
        }
        match token {
            Some(token) => {
                self.snapshot().by_hash.get(&token::hash(token)).map(Access::from_key).ok_or(AccessError::WrongToken)
            }
            None if self.is_open_mode() => Ok(Access::OPEN_MODE),
            None => Err(AccessError::NoToken),
        }
    }

    /// Waits until it is known that an access stands: at once, unless the keys cannot be read or it is lost.
    pub async fn wait_until_confirmed(&self, access: Access) {
        let stands = |snapshot: &Arc<Snapshot>| snapshot.is_confirmed && self.revocation(access, snapshot).is_none();
        if stands(&self.0.snapshot.borrow()) {
            return;
        }
        if self.0.snapshot.subscribe().wait_for(stands).await.is_err() {
            // Nobody reads the keys any more: the service ends.
            std::future::pending().await
        }
    }

    /// Waits until an access is lost: its key is revoked, or open mode has ended. While the keys cannot be read nobody knows of either, and
    /// nobody should be told anything (see [`Keys::stands`]).
    pub async fn wait_until_revoked(&self, access: Access) -> AccessError {
        let mut snapshots = self.0.snapshot.subscribe();
        loop {
            if let Some(denied) = self.revocation(access, &snapshots.borrow_and_update()) {
                return denied;
            }
            if snapshots.changed().await.is_err() {
                return AccessError::Unavailable;
            }
        }
    }

    /// Reads the keys again and again, for as long as it is polled.
    pub async fn run_refresh_loop(&self) {
        let mut turn = interval(REFRESH_INTERVAL);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turn.tick().await;
            self.refresh().await;
            if !self.is_fresh() {
                // A connection that was lost is made again, which may take longer than a question is waited for.
                let _ = timeout(CONNECT_TIMEOUT, keys::active(self.0.store.keys_reader())).await;
            }
        }
    }

    fn revocation(&self, access: Access, snapshot: &Snapshot) -> Option<AccessError> {
        match access.grant() {
            Grant::OpenMode => {
                (!(self.0.open_without_keys && snapshot.by_hash.is_empty())).then_some(AccessError::NoToken)
            }
            Grant::Key { id, .. } => {
                (!snapshot.by_hash.values().any(|key| key.id == id)).then_some(AccessError::WrongToken)
            }
        }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.snapshot.borrow())
    }

    fn age(&self) -> Duration {
        self.0.read_at.borrow().elapsed()
    }

    fn is_fresh(&self) -> bool {
        self.age() < SNAPSHOT_AGE_MAX
    }

    async fn refresh(&self) {
        let _one = self.0.refresh_lock.lock().await;
        // Somebody else has, while this one waited for its turn.
        if self.age() < REFRESH_INTERVAL / 2 {
            return;
        }
        let asked_at = Instant::now();
        match timeout(READ_TIMEOUT, keys::active(self.0.store.keys_reader())).await {
            Ok(Ok(by_hash)) => {
                self.replace_snapshot(by_hash);
                self.0.read_at.send_replace(asked_at);
            }
            Ok(Err(error)) => self.record_failed_read(&error.to_string()),
            Err(_) => self.record_failed_read("the database does not answer in time"),
        }
    }

    /// Puts what was read in place, and wakes who waits for a change, if it is one.
    fn replace_snapshot(&self, by_hash: HashMap<String, ApiKey>) {
        let read = Snapshot { by_hash, is_confirmed: true };
        self.0.snapshot.send_if_modified(|snapshot| {
            let changed = **snapshot != read;
            if changed {
                tracing::info!(keys = read.by_hash.len(), "the keys have changed, or can be read again");
                *snapshot = Arc::new(read);
            }
            changed
        });
    }

    /// Notes that the keys could not be read: after a second nobody is let in, or told anything, by what was read last.
    fn record_failed_read(&self, problem: &str) {
        if self.is_fresh() {
            tracing::debug!(problem, "the keys could not be read; they are tried again");
            return;
        }
        self.0.snapshot.send_if_modified(|snapshot| {
            let was_known = snapshot.is_confirmed;
            if was_known {
                tracing::error!(problem, "the keys cannot be read: nobody is let in until they can");
                *snapshot = Arc::new(Snapshot { by_hash: snapshot.by_hash.clone(), is_confirmed: false });
            }
            was_known
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::auth::{Scope, admin};
    use crate::clock::Clock;

    /// Nobody watches: what was read once is what answers, until it is too old, and then it is read again.
    #[tokio::test]
    async fn snapshot_fresh_answers_without_database() {
        let (_directory, store) = Store::for_test().await;
        let now = Clock::system().now();
        let token = admin::add(&store, "office", Scope::Read, now).await.unwrap();
        let keys = Keys::new(store.clone(), true).await.unwrap();
        let access = keys.authenticate(Some(token.expose())).await.unwrap();
        assert_eq!((access.scope(), access.is_open_mode()), (Scope::Read, false));
        assert_eq!(keys.authenticate(None).await, Err(AccessError::NoToken));
        assert_eq!(keys.authenticate(Some(&token.hash())).await, Err(AccessError::WrongToken));

        admin::revoke(&store, "office", now).await.unwrap();
        assert_eq!(keys.authenticate(Some(token.expose())).await, Ok(access), "it was not read again");
        keys.0.read_at.send_modify(|read_at| *read_at -= SNAPSHOT_AGE_MAX);
        assert_eq!(keys.authenticate(Some(token.expose())).await, Err(AccessError::WrongToken));
        assert_eq!(keys.wait_until_revoked(access).await, AccessError::WrongToken);
        assert_eq!(keys.authenticate(None).await.map(Access::is_open_mode), Ok(true));
    }

    #[tokio::test]
    async fn keys_unreadable_deny_every_request() {
        let (_directory, store) = Store::for_test().await;
        let keys = Keys::new(store.clone(), true).await.unwrap();
        let access = keys.authenticate(None).await.unwrap();
        store.clone().close().await;
        assert_eq!(keys.authenticate(None).await, Ok(access));
        keys.0.read_at.send_modify(|read_at| *read_at -= SNAPSHOT_AGE_MAX);
        assert_eq!(keys.authenticate(None).await, Err(AccessError::Unavailable));
        // Who is there stays, and is told nothing until the keys can be read again.
        let waits = async |what| timeout(Duration::from_millis(1), what).await.is_err();
        assert!(waits(keys.wait_until_revoked(access).map(drop).boxed()).await);
        assert!(waits(keys.wait_until_confirmed(access).boxed()).await);
        keys.replace_snapshot(HashMap::new());
        keys.wait_until_confirmed(access).await;
    }

    #[tokio::test]
    async fn keys_empty_without_open_mode_deny_every_request() {
        let (_directory, store) = Store::for_test().await;
        let keys = Keys::new(store, false).await.unwrap();
        assert!(!keys.is_open_mode());
        assert_eq!(keys.authenticate(None).await, Err(AccessError::NoToken));
    }
}
