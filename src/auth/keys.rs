//! A running service's view of the keys and sessions. Its snapshot is refreshed several times a
//! second, so that no request waits for the database.

use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::access::Grant;
use super::snapshot::{Snapshot, read_keys};
use super::upkeep::Upkeep;
use super::{Access, AccessError, Audit, Scope};
use crate::clock::{Clock, Time};
use crate::domain::token;
use crate::metrics::SESSIONS;
use crate::store::keys::ActiveKey;
use crate::store::{Store, StoreError, keys};

/// How often the service reads the keys.
const REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// The oldest snapshot that grants access. A revoked key works for at most this long.
const SNAPSHOT_AGE_MAX: Duration = Duration::from_secs(1);
/// How long a lost connection may take to reconnect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read of the keys may take, whether the refresh loop or a request makes it.
const READ_TIMEOUT: Duration = Duration::from_millis(500);
/// The shortest time between two reads for sessions that the snapshot does not have. Cookies that
/// belong to no session cause no more reads than this.
const MISS_PAUSE: Duration = Duration::from_millis(25);

/// The keys and sessions, at most a second old.
#[derive(Clone, Debug)]
pub struct Keys(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) audit: Audit,
    /// Whether the settings allow open mode while there is no key.
    open_without_keys: bool,
    snapshot: watch::Sender<Arc<Snapshot>>,
    /// When the read began that the snapshot came from.
    read_at: watch::Sender<Instant>,
    /// Held by the one task that reads the keys.
    refresh_lock: Mutex<()>,
    /// Held while a session is made or ended.
    pub(super) session_writes: Mutex<()>,
    /// What is to be written of them.
    pub(super) upkeep: StdMutex<Upkeep>,
}

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The name of its key; none in open mode.
    pub name: Option<String>,
    /// What it may do.
    pub scope: Scope,
    /// When its key expires, or its session is over, whichever comes first.
    pub expires_at: Option<Time>,
}

impl Keys {
    /// Reads the keys of this database. `open_without_keys` says whether the settings allow open
    /// mode while there is none.
    pub async fn new(store: Store, clock: Clock, open_without_keys: bool) -> Result<Self, StoreError> {
        let read_at = watch::Sender::new(Instant::now());
        let (snapshot, _) = Snapshot::new(read_keys(&store).await?, clock.now());
        Ok(Self(Arc::new(Inner {
            audit: Audit::new(clock.clone()),
            store,
            clock,
            open_without_keys,
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            read_at,
            refresh_lock: Mutex::new(()),
            session_writes: Mutex::new(()),
            upkeep: StdMutex::default(),
        })))
    }

    /// The number of keys that are not revoked, expired ones included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.snapshot().by_hash.len()
    }

    /// Whether the service is in open mode, by the last snapshot.
    #[must_use]
    pub fn is_open_mode(&self) -> bool {
        self.0.open_without_keys && self.snapshot().by_hash.is_empty()
    }

    /// The audit of this service.
    #[must_use]
    pub fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// Who has an access.
    #[must_use]
    pub fn viewer(&self, access: Access) -> Viewer {
        let snapshot = self.snapshot();
        let (key, session) = match access.grant() {
            Grant::OpenMode => (None, None),
            Grant::Key { id, session, .. } => (snapshot.key(id), session.and_then(|id| snapshot.session(id))),
        };
        let ends = [key.and_then(|key| key.expires_at), session.map(|session| session.expires_at)];
        Viewer {
            name: key.map(|key| key.name.clone()),
            scope: access.scope(),
            expires_at: ends.into_iter().flatten().min(),
        }
    }

    /// Who acts with an access, for the audit: the name of its key, or the number of one that was
    /// revoked meanwhile. `None` in open mode.
    #[must_use]
    pub fn actor(&self, access: Access) -> Option<String> {
        match access.grant() {
            Grant::OpenMode => None,
            Grant::Key { id, .. } => {
                Some(self.snapshot().key(id).map_or_else(|| format!("key {id}, revoked"), |key| key.name.clone()))
            }
        }
    }

    /// The access of a request with this token, or without one.
    pub async fn authenticate(&self, token: Option<&str>) -> Result<Access, AccessError> {
        self.check_fresh().await?;
        match token {
            Some(token) => {
                let snapshot = self.snapshot();
                let key = snapshot.by_hash.get(&token::hash(token)).ok_or(AccessError::WrongToken)?;
                self.note_use(key)?;
                Ok(Access::from_key(key))
            }
            None if self.is_open_mode() => Ok(Access::OPEN_MODE),
            None => Err(AccessError::NoToken),
        }
    }

    /// The access of a request with the token of a session, which its cookie holds.
    pub async fn authenticate_session(&self, token: &str) -> Result<Access, AccessError> {
        let began_at = Instant::now();
        self.check_fresh().await?;
        if !token::is_session_token(token) {
            return Err(AccessError::SessionOver);
        }
        let hash = token::hash(token);
        if !self.snapshot().sessions.contains_key(&hash) {
            // Another node may have made it since the last read.
            let _ = timeout(READ_TIMEOUT, self.refresh_since(began_at)).await;
        }
        let snapshot = self.snapshot();
        let session = snapshot.sessions.get(&hash).ok_or(AccessError::SessionOver)?;
        if session.expires_at <= self.0.clock.now() {
            return Err(AccessError::SessionOver);
        }
        let key = snapshot.key(session.key_id).ok_or(AccessError::SessionOver)?;
        self.note_use(key)?;
        Ok(Access::from_session(session, key))
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

    /// Waits until an access is revoked: its key was revoked or has expired, its session is over,
    /// or open mode has ended. While the keys cannot be read, this waits as well. Senders then hold
    /// back their messages with [`Keys::wait_until_confirmed`].
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
            Grant::Key { id, .. } if snapshot.expired.contains(&id) => Some(AccessError::ExpiredKey),
            Grant::Key { id, .. } if snapshot.key(id).is_none() => Some(AccessError::WrongToken),
            Grant::Key { session: Some(session), .. } if snapshot.session(session).is_none() => {
                Some(AccessError::SessionOver)
            }
            Grant::Key { .. } => None,
        }
    }

    /// Notes the use of a key that has not expired. It is written later.
    fn note_use(&self, key: &ActiveKey) -> Result<(), AccessError> {
        let now = self.0.clock.now();
        if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(AccessError::ExpiredKey);
        }
        self.upkeep().note_use(key.id, now);
        Ok(())
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

    async fn check_fresh(&self) -> Result<(), AccessError> {
        if !self.is_fresh() {
            // The refresh loop is late, because the machine is busy or the database does not
            // answer. This request reads the keys itself.
            let _ = timeout(READ_TIMEOUT, self.refresh()).await;
        }
        if self.is_fresh() { Ok(()) } else { Err(AccessError::Unavailable) }
    }

    async fn refresh(&self) {
        let _guard = self.0.refresh_lock.lock().await;
        // Another task has refreshed the snapshot while this one waited for the lock.
        if self.age() < REFRESH_INTERVAL / 2 {
            return;
        }
        self.read().await;
    }

    /// Refreshes the snapshot, unless it was read after this moment.
    pub(super) async fn refresh_since(&self, moment: Instant) {
        let _guard = self.0.refresh_lock.lock().await;
        let read_at = *self.0.read_at.borrow();
        if read_at > moment {
            return;
        }
        sleep_until(read_at + MISS_PAUSE).await;
        self.read().await;
    }

    async fn read(&self) {
        let started_at = Instant::now();
        match timeout(READ_TIMEOUT, read_keys(&self.0.store)).await {
            Ok(Ok(read)) => {
                let (snapshot, sessions_over) = Snapshot::new(read, self.0.clock.now());
                #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; a key has at most 100 sessions")]
                metrics::gauge!(SESSIONS).set(snapshot.sessions.len() as f64);
                let expired = snapshot.by_hash.values().filter(|key| snapshot.expired.contains(&key.id));
                self.upkeep().note_read(sessions_over, expired);
                self.replace_snapshot(snapshot);
                self.0.read_at.send_replace(started_at);
            }
            Ok(Err(error)) => self.record_failed_read(&error.to_string()),
            Err(_) => self.record_failed_read("the database did not answer in time"),
        }
    }

    /// Replaces the snapshot and wakes its watchers, if it has changed.
    fn replace_snapshot(&self, read: Snapshot) {
        self.0.snapshot.send_if_modified(|snapshot| {
            let changed = **snapshot != read;
            if changed {
                self.log_change(snapshot, &read);
                *snapshot = Arc::new(read);
            }
            changed
        });
    }

    fn log_change(&self, before: &Snapshot, after: &Snapshot) {
        let keys = after.by_hash.len() - after.expired.len();
        if !before.is_confirmed {
            tracing::info!(keys, "the keys can be read again");
        } else if before.by_hash != after.by_hash || before.expired != after.expired {
            tracing::info!(keys, "the active keys changed");
        }
        for id in after.expired.difference(&before.expired) {
            let name = after.key(*id).map(|key| &*key.name);
            tracing::warn!(key = id, name, "a key has expired; make a new one (bidarc keys add NAME --scope …)");
        }
        if after.by_hash.is_empty() && !before.by_hash.is_empty() {
            let meaning = if self.0.open_without_keys {
                "open mode is back: every program of this machine can use the API without a key"
            } else {
                "every request to the API is refused until there is one"
            };
            tracing::warn!("no key is left; {meaning} (bidarc keys add NAME --scope manage)");
        }
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
                *snapshot = Arc::new(Snapshot {
                    by_hash: snapshot.by_hash.clone(),
                    expired: snapshot.expired.clone(),
                    sessions: snapshot.sessions.clone(),
                    is_confirmed: false,
                });
            }
            was_confirmed
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use futures_util::FutureExt;

    use super::*;
    use crate::auth::admin;
    use crate::auth::snapshot::KeysRead;

    /// No refresh loop runs here. The first snapshot answers until it is too old; then a request
    /// reads the keys.
    #[tokio::test]
    async fn snapshot_fresh_answers_without_database() {
        let (_directory, store) = Store::for_test().await;
        let now = Clock::system().now();
        let token = admin::add(&store, "office", Scope::Read, None, now).await.unwrap();
        let keys = Keys::new(store.clone(), Clock::system(), true).await.unwrap();
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
        let keys = Keys::new(store.clone(), Clock::system(), true).await.unwrap();
        let access = keys.authenticate(None).await.unwrap();
        store.clone().close().await;
        assert_eq!(keys.authenticate(None).await, Ok(access));
        keys.0.read_at.send_modify(|read_at| *read_at -= SNAPSHOT_AGE_MAX);
        assert_eq!(keys.authenticate(None).await, Err(AccessError::Unavailable));
        // An open stream stays open, and waits until the keys can be read again.
        let is_pending = async |future| timeout(Duration::from_millis(1), future).await.is_err();
        assert!(is_pending(keys.wait_until_revoked(access).map(drop).boxed()).await);
        assert!(is_pending(keys.wait_until_confirmed(access).boxed()).await);
        let nothing = KeysRead { by_hash: HashMap::new(), sessions: HashMap::new() };
        keys.replace_snapshot(Snapshot::new(nothing, Clock::system().now()).0);
        keys.wait_until_confirmed(access).await;
    }

    #[tokio::test]
    async fn keys_empty_without_open_mode_deny_every_request() {
        let (_directory, store) = Store::for_test().await;
        let keys = Keys::new(store, Clock::system(), false).await.unwrap();
        assert!(!keys.is_open_mode());
        assert_eq!(keys.authenticate(None).await, Err(AccessError::NoToken));
    }
}
