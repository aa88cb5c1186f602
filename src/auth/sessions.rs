//! Sessions: a browser exchanges the token of a key for a session, which ends with the key.

use chrono::TimeDelta;
use tokio::time::Instant;

use super::access::Grant;
use super::{Access, AccessError, Keys, Token};
use crate::clock::Time;
use crate::domain::{AuditKind, token};
use crate::store::audit::{self, NewEntry};
use crate::store::sessions::Session;
use crate::store::{StoreError, Transaction, sessions};

/// How many sessions a key may have. One more ends its oldest.
const SESSIONS_PER_KEY_MAX: u64 = 100;

/// A new session.
#[derive(Debug)]
pub struct SignIn {
    /// Its token, which is stored nowhere.
    pub token: Token,
    /// How long it lasts at most.
    pub lifetime: TimeDelta,
}

impl Keys {
    /// Exchanges the token of a key for a session that lasts at most `length`.
    ///
    /// # Errors
    ///
    /// As [`Keys::authenticate`] with the token.
    pub async fn sign_in(&self, key_token: &str, length: TimeDelta) -> Result<SignIn, AccessError> {
        let access = self.authenticate(Some(key_token)).await?;
        let Grant::Key { id: key_id, .. } = access.grant() else { return Err(AccessError::WrongToken) };
        let token = Token::generate_for_session();
        let now = self.0.clock.now();
        let end = now.checked_add_signed(length).unwrap_or(Time::MAX_UTC);
        let expires_at = self.viewer(access).expires_at.map_or(end, |key_end| key_end.min(end));
        let session = Session { id: rand::random_range(1..i64::MAX), key_id, expires_at };
        self.store_session(access, &session, &token, now).await.map_err(|error| {
            tracing::error!(%error, "a sign-in failed: its session could not be stored");
            AccessError::Unavailable
        })?;
        self.refresh_since(Instant::now()).await;
        Ok(SignIn { token, lifetime: expires_at - now })
    }

    async fn store_session(
        &self,
        access: Access,
        session: &Session,
        token: &Token,
        now: Time,
    ) -> Result<(), StoreError> {
        // One at a time: a delivery never waits behind many of them.
        let _turn = self.0.session_writes.lock().await;
        let tx = self.0.store.begin().await?;
        sessions::insert(&tx, session, &token.hash(), now).await?;
        sessions::delete_oldest(&tx, session.key_id, SESSIONS_PER_KEY_MAX).await?;
        self.append_session_entry(&tx, AuditKind::SignIn, (session.key_id, self.viewer(access).name)).await?;
        self.0.store.commit(tx, None).await
    }

    /// Ends a session. One that is over already stays so.
    ///
    /// # Errors
    ///
    /// The database cannot be written; the session has not ended.
    pub async fn sign_out(&self, session_token: &str) -> Result<(), AccessError> {
        let access = match self.authenticate_session(session_token).await {
            Ok(access) => access,
            Err(AccessError::Unavailable) => return Err(AccessError::Unavailable),
            Err(_) => return Ok(()),
        };
        let Grant::Key { id: key_id, .. } = access.grant() else { return Ok(()) };
        self.delete_session(session_token, (key_id, self.viewer(access).name)).await.map_err(|error| {
            tracing::error!(%error, "a sign-out failed: the session could not be deleted");
            AccessError::Unavailable
        })?;
        self.refresh_since(Instant::now()).await;
        Ok(())
    }

    async fn delete_session(&self, session_token: &str, key: (i64, Option<String>)) -> Result<(), StoreError> {
        let _turn = self.0.session_writes.lock().await;
        let tx = self.0.store.begin().await?;
        if sessions::delete_by_token(&tx, &token::hash(session_token)).await? {
            self.append_session_entry(&tx, AuditKind::SignOut, key).await?;
        }
        self.0.store.commit(tx, None).await
    }

    /// Those of a key in one hour are one entry, so that a key cannot push other entries out of the
    /// audit.
    async fn append_session_entry(
        &self,
        tx: &Transaction,
        kind: AuditKind,
        (key_id, actor): (i64, Option<String>),
    ) -> Result<(), StoreError> {
        let entry = self.0.audit.entry(kind, actor, kind.action(), None);
        let sum_key = format!("{} {kind} {key_id}", entry.at.format("%Y-%m-%dT%H"));
        audit::append(tx, &NewEntry { sum_key: Some(sum_key), ..entry }).await
    }
}
