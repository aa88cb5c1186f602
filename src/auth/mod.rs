//! Authentication: keys, their scopes, and how a request proves that it holds a key.
//!
//! A key is a name, a [`Scope`] and a [`Token`]. The token is shown once, when the key is made; the
//! database stores its hash. [`admin`] makes and revokes keys. [`Keys`] is a running service's view
//! of them, and only it creates an [`Access`]. A browser exchanges a token for a session
//! (`sessions`). [`Audit`] collects what the service writes into the audit.

mod access;
pub mod admin;
mod audit;
mod expiry;
mod keys;
mod sessions;
mod snapshot;
mod upkeep;

pub use access::{Access, AccessError};
pub use audit::{Audit, MutationAudit};
pub use expiry::{InvalidExpiry, parse_expiry};
pub use keys::{Keys, Viewer};
pub use sessions::SignIn;

pub use crate::domain::Scope;
pub use crate::domain::token::Token;
pub use crate::store::keys::ApiKey;
