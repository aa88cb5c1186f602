//! Who may use the API: keys, what they let their holders do, and how a request proves that it has one.
//!
//! A key is a name, a [`Scope`] and a [`Token`]. The token is shown once, when the key is made; the database has its hash.
//! [`admin`] makes and revokes keys. [`Keys`] is what a running service knows of them, and only it gives an [`Access`].

mod access;
pub mod admin;
mod keys;
mod token;

pub use access::{Access, AccessError};
pub use keys::Keys;
pub use token::{Token, TokenError};

pub use crate::domain::Scope;
pub use crate::store::keys::ApiKey;
