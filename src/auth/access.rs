//! What a request may do, and why it may not.

use super::{ApiKey, Scope};

/// What a request may do. Only [`Keys`](super::Keys) gives one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(Grant);

/// What an access is founded on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// Open mode: there is no key.
    OpenMode,
    /// The key of this number.
    Key { id: i64, scope: Scope },
}

impl Access {
    /// The access of whoever comes while there is no key.
    pub(super) const OPEN_MODE: Self = Self(Grant::OpenMode);

    pub(super) const fn from_key(key: &ApiKey) -> Self {
        Self(Grant::Key { id: key.id, scope: key.scope })
    }

    pub(super) const fn grant(self) -> Grant {
        self.0
    }

    /// How far it goes: in open mode all the way.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self.0 {
            Grant::OpenMode => Scope::Manage,
            Grant::Key { scope, .. } => scope,
        }
    }

    /// Whether it is founded on open mode alone, in which nothing is let in from elsewhere.
    #[must_use]
    pub const fn is_open_mode(self) -> bool {
        match self.0 {
            Grant::OpenMode => true,
            Grant::Key { .. } => false,
        }
    }
}

/// Why a request is not let in. The text is for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// It brings no token.
    #[error("a key is needed: send its token as `Authorization: Bearer <token>`")]
    NoToken,
    /// It brings a token that is no key's, or no longer.
    #[error("the token is of no key, or its key has been revoked")]
    WrongToken,
    /// The keys cannot be read.
    #[error("whether the key is right cannot be told at the moment; try again")]
    Unavailable,
}
