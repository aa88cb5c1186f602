//! What a request may do, or why it is refused.

use super::{ApiKey, Scope};

/// What a request may do. Only [`Keys`](super::Keys) creates one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(Grant);

/// The reason for an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// The service is in open mode: there is no key.
    OpenMode,
    /// The request has the token of the key with this id.
    Key { id: i64, scope: Scope },
}

impl Access {
    /// The access of a request in open mode.
    pub(super) const OPEN_MODE: Self = Self(Grant::OpenMode);

    pub(super) const fn from_key(key: &ApiKey) -> Self {
        Self(Grant::Key { id: key.id, scope: key.scope })
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
    /// The keys cannot be read from the database.
    #[error("the key cannot be verified right now; try again")]
    Unavailable,
}
