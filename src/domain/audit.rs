//! The kinds of entries in the audit.

use super::text_enum::text_enum;

text_enum! {
    /// What an entry of the audit is.
    AuditKind {
        /// A mutation ran.
        Mutation = "MUTATION",
        /// A key was added.
        KeyAdded = "KEY_ADDED",
        /// A key was revoked.
        KeyRevoked = "KEY_REVOKED",
        /// A key has expired.
        KeyExpired = "KEY_EXPIRED",
        /// A key was exchanged for a session.
        SignIn = "SIGN_IN",
        /// A session was ended by its browser.
        SignOut = "SIGN_OUT",
        /// Requests were refused.
        Refusals = "REFUSALS",
        /// The service started.
        Start = "START",
    }
}

impl AuditKind {
    /// What was done, in the spelling of the fields of mutations. A mutation has the name of its
    /// own field instead.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Mutation => "mutation",
            Self::KeyAdded => "addKey",
            Self::KeyRevoked => "revokeKey",
            Self::KeyExpired => "expireKey",
            Self::SignIn => "signIn",
            Self::SignOut => "signOut",
            Self::Refusals => "refuse",
            Self::Start => "start",
        }
    }
}
