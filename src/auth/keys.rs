//! A running service's snapshot of the keys. It is refreshed several times a second, so that no
//! request waits for the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::access::Grant;
use super::{Access, AccessError, ApiKey};
use crate::domain::token;
use crate::store::{Store, StoreError, keys};

/// How often the service reads the keys.
const REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// The oldest snapshot that grants access. A revoked key works for at most this long.
const SNAPSHOT_AGE_MAX: Duration = Duration::from_secs(1);
/// How long a lost connection may take to reconnect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read of the keys may take, whether the refresh loop or a request makes it.
const READ_TIMEOUT: Duration = Duration::from_millis(500);

/// The keys, at most a second old.
#[derive(Clone, Debug)]
pub struct Keys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// Whether the settings allow open mode while there is no key.
    open_without_keys: bool,
    snapshot: watch::Sender<Arc<Snapshot>>,
    /// When the read began that the snapshot came from.
    read_at: watch::Sender<Instant>,
    /// Held by the one task that reads the keys.
    refresh_lock: Mutex<()>,
}

/// The keys that are not revoked, at one moment.
#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    by_hash: HashMap<String, ApiKey>,
    /// False once the keys could not be read for [`SNAPSHOT_AGE_MAX`].
    is_confirmed: bool,
}

impl Keys {
    /// Reads the keys of this database. `open_without_keys` says whether the settings allow open
    /// mode while there is none.
    pub async fn new(store: Store, open_without_keys: bool) -> Result<Self, StoreError> {
        let read_at = watch::Sender::new(Instant::now());
        let by_hash = keys::active(store.keys_reader()).await?;
        let snapshot = watch::Sender::new(Arc::new(Snapshot { by_hash, is_confirmed: true }));
        Ok(Self(Arc::new(Inner { store, open_without_keys, snapshot, read_at, refresh_lock: Mutex::new(()) })))
    }

    /// The number of keys that are not revoked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.snapshot().by_hash.len()
    }

    /// Whether the service is in open mode, by the last snapshot.
    #[must_use]
    pub fn is_open_mode(&self) -> bool {
        self.0.open_without_keys && self.snapshot().by_hash.is_empty()
    }

    /// The access of a request with this token, or without one.
    pub async fn authenticate(&self, token: Option<&str>) -> Result<Access, AccessError> {
        if !self.is_fresh() {
            // The refresh loop is late, because the machine is busy or the database does not
            // answer. This request reads the keys itself.
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

    /// Waits until the latest snapshot confirms an access. This returns at once unless the keys
    /// cannot be read or the access is revoked.
    pub async fn wait_until_confirmed(&self, access: Access) {
        let is_confirmed =
            |snapshot: &Arc<Snapshot>| snapshot.is_confirmed && self.revocation(access, snapshot).is_none();
        if is_confirmed(&self.0.snapshot.borrow()) {
            return;
        }
        if self.0.snapshot.subscribe().wait_for(is_confirmed).await.is_err() {
            // No task refreshes the keys any more: the service is ending.
            std::future::pending().await
        }
    }

    /// Waits until an access is revoked: its key was revoked, or open mode has ended. While the
    /// keys cannot be read, this waits as well. Senders then hold back their messages with
    /// [`Keys::wait_until_confirmed`].
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

    /// Refreshes the snapshot every 250 ms, as long as it is polled.
    pub async fn run_refresh_loop(&self) {
        let mut ticks = interval(REFRESH_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.refresh().await;
            if !self.is_fresh() {
                // Reconnecting after a lost connection may take longer than `READ_TIMEOUT`.
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
        let _guard = self.0.refresh_lock.lock().await;
        // Another task has refreshed the snapshot while this one waited for the lock.
        if self.age() < REFRESH_INTERVAL / 2 {
            return;
        }
        let started_at = Instant::now();
        match timeout(READ_TIMEOUT, keys::active(self.0.store.keys_reader())).await {
            Ok(Ok(by_hash)) => {
                self.replace_snapshot(by_hash);
                self.0.read_at.send_replace(started_at);
            }
            Ok(Err(error)) => self.record_failed_read(&error.to_string()),
            Err(_) => self.record_failed_read("the database did not answer in time"),
        }
    }

    /// Replaces the snapshot and wakes its watchers, if it has changed.
    fn replace_snapshot(&self, by_hash: HashMap<String, ApiKey>) {
        let read = Snapshot { by_hash, is_confirmed: true };
        self.0.snapshot.send_if_modified(|snapshot| {
            let changed = **snapshot != read;
            if changed {
                let what = if snapshot.is_confirmed { "the active keys changed" } else { "the keys can be read again" };
                tracing::info!(keys = read.by_hash.len(), "{what}");
                if read.by_hash.is_empty() && !snapshot.by_hash.is_empty() {
                    let meaning = if self.0.open_without_keys {
                        "open mode is back: every program of this machine can use the API without a key"
                    } else {
                        "every request to the API is refused until there is one"
                    };
                    tracing::warn!("no key is left; {meaning} (bidarc keys add NAME --scope manage)");
                }
                *snapshot = Arc::new(read);
            }
            changed
        });
    }

    /// Records that the keys could not be read. Once the snapshot is older than
    /// [`SNAPSHOT_AGE_MAX`], requests are refused and streams wait.
    fn record_failed_read(&self, problem: &str) {
        if self.is_fresh() {
            tracing::debug!(problem, "failed to read the keys; trying again");
            return;
        }
        self.0.snapshot.send_if_modified(|snapshot| {
            let was_confirmed = snapshot.is_confirmed;
            if was_confirmed {
                tracing::error!(problem, "the keys cannot be read; every request is refused until they can");
                *snapshot = Arc::new(Snapshot { by_hash: snapshot.by_hash.clone(), is_confirmed: false });
            }
            was_confirmed
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::auth::{Scope, admin};
    use crate::clock::Clock;

    /// No refresh loop runs here. The first snapshot answers until it is too old; then a request
    /// reads the keys.
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
        assert_eq!(keys.authenticate(Some(token.expose())).await, Ok(access), "the snapshot was not refreshed");
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
        // An open stream stays open, and waits until the keys can be read again.
        let is_pending = async |future| timeout(Duration::from_millis(1), future).await.is_err();
        assert!(is_pending(keys.wait_until_revoked(access).map(drop).boxed()).await);
        assert!(is_pending(keys.wait_until_confirmed(access).boxed()).await);
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
