//! Sessions: a browser exchanges the token of a key for a session, which ends with the key.

use chrono::TimeDelta;
use tokio::time::Instant;

use super::access::Grant;
use super::{Access, AccessError, Keys, Token};
use crate::clock::Time;
use crate::domain::{AuditKind, token};
use crate::store::sessions::Session;
use crate::store::{StoreError, audit, sessions};

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
        let tx = self.0.store.begin().await?;
        sessions::insert(&tx, session, &token.hash(), now).await?;
        sessions::delete_oldest(&tx, session.key_id, SESSIONS_PER_KEY_MAX).await?;
        audit::append(
            &tx,
            &self.0.audit.entry(AuditKind::SignIn, self.viewer(access).name, AuditKind::SignIn.action(), None),
        )
        .await?;
        self.0.store.commit(tx, None).await
    }

    /// Ends a session. One that is over already stays so.
    ///
    /// # Errors
    ///
    /// The database cannot be written; the session has not ended.
    pub async fn sign_out(&self, session_token: &str) -> Result<(), AccessError> {
        let actor = match self.authenticate_session(session_token).await {
            Ok(access) => self.viewer(access).name,
            Err(AccessError::Unavailable) => return Err(AccessError::Unavailable),
            Err(_) => return Ok(()),
        };
        self.delete_session(session_token, actor).await.map_err(|error| {
            tracing::error!(%error, "a sign-out failed: the session could not be deleted");
            AccessError::Unavailable
        })?;
        self.refresh_since(Instant::now()).await;
        Ok(())
    }

    async fn delete_session(&self, session_token: &str, actor: Option<String>) -> Result<(), StoreError> {
        let tx = self.0.store.begin().await?;
        if sessions::delete_by_token(&tx, &token::hash(session_token)).await? {
            audit::append(&tx, &self.0.audit.entry(AuditKind::SignOut, actor, AuditKind::SignOut.action(), None))
                .await?;
        }
        self.0.store.commit(tx, None).await
    }
}
