//! The keys and sessions of one moment.

use std::collections::{BTreeSet, HashMap};

use crate::clock::Time;
use crate::store::keys::ActiveKey;
use crate::store::sessions::Session;
use crate::store::{Store, StoreError, keys, sessions};

/// The keys that are not revoked, and the sessions that are not over, at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) by_hash: HashMap<String, ActiveKey>,
    /// The numbers of the keys that have expired. They count as keys: the passage of time does not
    /// bring open mode back.
    pub(super) expired: BTreeSet<i64>,
    pub(super) sessions: HashMap<String, Session>,
    /// False once the keys could not be read for too long.
    pub(super) is_confirmed: bool,
}

/// What one read of the database gives.
pub(super) struct KeysRead {
    pub(super) by_hash: HashMap<String, ActiveKey>,
    pub(super) sessions: HashMap<String, Session>,
}

/// Reads the keys and the sessions.
pub(super) async fn read_keys(store: &Store) -> Result<KeysRead, StoreError> {
    // In this order, so that the key of each session is among the keys, unless it was revoked.
    let sessions = sessions::all(store.keys_reader()).await?;
    Ok(KeysRead { by_hash: keys::active(store.keys_reader()).await?, sessions })
}

impl Snapshot {
    /// The snapshot of what was read, and the sessions that are over.
    pub(super) fn new(read: KeysRead, now: Time) -> (Self, Vec<i64>) {
        let KeysRead { by_hash, mut sessions } = read;
        let is_expired = |key: &&ActiveKey| key.expires_at.is_some_and(|expires_at| expires_at <= now);
        let expired: BTreeSet<i64> = by_hash.values().filter(is_expired).map(|key| key.id).collect();
        let valid: BTreeSet<i64> = by_hash.values().map(|key| key.id).filter(|id| !expired.contains(id)).collect();
        let is_over = |session: &Session| session.expires_at <= now || !valid.contains(&session.key_id);
        let over = sessions.values().filter(|session| is_over(session)).map(|session| session.id).collect();
        sessions.retain(|_, session| !is_over(session));
        (Self { by_hash, expired, sessions, is_confirmed: true }, over)
    }

    /// The key of a number.
    pub(super) fn key(&self, id: i64) -> Option<&ActiveKey> {
        self.by_hash.values().find(|key| key.id == id)
    }

    /// The session of a number.
    pub(super) fn session(&self, id: i64) -> Option<&Session> {
        self.sessions.values().find(|session| session.id == id)
    }
}
