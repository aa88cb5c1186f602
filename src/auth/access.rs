//! What a request may do, or why it is refused.

use super::Scope;
use crate::store::keys::ActiveKey;
use crate::store::sessions::Session;

/// What a request may do. Only [`Keys`](super::Keys) creates one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(Grant);

/// The reason for an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// The service is in open mode: there is no key.
    OpenMode,
    /// The request has the token of the key with this id, or the cookie of a session of it.
    Key { id: i64, scope: Scope, session: Option<i64> },
}

impl Access {
    /// The access of a request in open mode.
    pub(super) const OPEN_MODE: Self = Self(Grant::OpenMode);

    pub(super) const fn from_key(key: &ActiveKey) -> Self {
        Self(Grant::Key { id: key.id, scope: key.scope, session: None })
    }

    pub(super) const fn from_session(session: &Session, key: &ActiveKey) -> Self {
        Self(Grant::Key { id: key.id, scope: key.scope, session: Some(session.id) })
    }

    pub(super) const fn grant(self) -> Grant {
        self.0
    }

    /// The id of its key; none in open mode.
    #[must_use]
    pub const fn key_id(self) -> Option<i64> {
        match self.0 {
            Grant::OpenMode => None,
            Grant::Key { id, .. } => Some(id),
        }
    }

    /// Its scope. Open mode allows everything.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self.0 {
            Grant::OpenMode => Scope::Manage,
            Grant::Key { scope, .. } => scope,
        }
    }

    /// Whether it relies on open mode, in which only requests from this machine are served.
    #[must_use]
    pub const fn is_open_mode(self) -> bool {
        match self.0 {
            Grant::OpenMode => true,
            Grant::Key { .. } => false,
        }
    }
}

/// Why a request is refused. The message is for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// It has no token.
    #[error("a key is needed: send its token as `Authorization: Bearer <token>`")]
    NoToken,
    /// Its token belongs to no key, or to a revoked one.
    #[error("the token is not valid: it belongs to no key, or its key was revoked")]
    WrongToken,
    /// Its key has expired.
    #[error("the key has expired; ask for a new one")]
    ExpiredKey,
    /// Its cookie belongs to no session, or to one that is over.
    #[error("the session is over; sign in again")]
    SessionOver,
    /// It has a cookie or asks for one, and was not sent by a page of this service.
    #[error("sessions and their cookies are for the pages of this service; send the token of a key instead")]
    ForeignPage,
    /// The keys cannot be read from the database.
    #[error("the key cannot be verified right now; try again")]
    Unavailable,
}
