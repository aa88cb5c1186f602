//! Authentication: keys, their scopes, and how a request proves that it holds a key.
//!
//! A key is a name, a [`Scope`] and a [`Token`]. The token is shown once, when the key is made; the
//! database stores its hash. [`admin`] makes and revokes keys. [`Keys`] is a running service's view
//! of them, and only it creates an [`Access`].

mod access;
pub mod admin;
mod keys;

pub use access::{Access, AccessError};
pub use keys::Keys;

pub use crate::domain::Scope;
pub use crate::domain::token::Token;
pub use crate::store::keys::ApiKey;
