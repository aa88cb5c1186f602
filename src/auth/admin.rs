//! Making and revoking keys. A running service notices within a second, whichever process does it.

use super::{ApiKey, Scope, Token, TokenError};
use crate::clock::Time;
use crate::store::keys::{self, NewApiKey};
use crate::store::{Store, StoreError};

/// How long a key's name may be, in characters.
const NAME_CHARS_MAX: usize = 100;

/// Why a key was not made or revoked. The text is for who keeps the keys.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A key cannot be called so.
    #[error("a key cannot be called {name:?}: {problem}")]
    InvalidName {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is such a key.
    #[error("there is a key {0:?} already: revoke it first, or take another name")]
    NameTaken(String),
    /// There is no such key.
    #[error("there is no key {0:?}; `bidarc keys list` shows those that there are")]
    NotFound(String),
    /// The key was revoked before.
    #[error("the key {id} ({name:?}) has been revoked before")]
    AlreadyRevoked {
        /// Its number.
        id: i64,
        /// Its name.
        name: String,
    },
    /// No token could be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key. Its token is in what this returns and nowhere else.
///
/// # Errors
///
/// Where a key cannot be called so or another one is, and where the database is not available.
pub async fn add(store: &Store, name: &str, scope: Scope, now: Time) -> Result<Token, AdminError> {
    if let Some(problem) = name_problem(name) {
        return Err(AdminError::InvalidName { name: name.to_owned(), problem });
    }
    let token = Token::generate()?;
    let tx = store.begin().await?;
    if keys::active_by_name(&tx, name).await?.is_some() {
        return Err(AdminError::NameTaken(name.to_owned()));
    }
    keys::insert(&tx, &NewApiKey { name, scope, token_hash: &token.hash(), created_at: now }).await?;
    store.commit(tx, None).await?;
    Ok(token)
}

/// Every key there ever was, oldest first.
///
/// # Errors
///
/// Where the database is not available.
pub async fn list(store: &Store) -> Result<Vec<ApiKey>, AdminError> {
    Ok(keys::all(store.reader()).await?)
}

/// Revokes the key of this name, or of this number.
///
/// # Errors
///
/// Where there is no such key or it was revoked before, and where the database is not available.
pub async fn revoke(store: &Store, which: &str, now: Time) -> Result<ApiKey, AdminError> {
    let tx = store.begin().await?;
    let found = match keys::active_by_name(&tx, which).await? {
        Some(named) => Some(named),
        None => match which.parse() {
            Ok(id) => keys::by_id(&tx, id).await?,
            Err(_) => None,
        },
    };
    let Some(found) = found else { return Err(AdminError::NotFound(which.to_owned())) };
    if found.revoked_at.is_some() {
        return Err(AdminError::AlreadyRevoked { id: found.id, name: found.name });
    }
    keys::revoke(&tx, found.id, now).await?;
    store.commit(tx, None).await?;
    Ok(ApiKey { revoked_at: Some(now), ..found })
}

/// What is wrong with a name.
fn name_problem(name: &str) -> Option<&'static str> {
    // What debug output writes as itself is what shows; quotes and backslashes it marks for another reason.
    let is_printable = |c: char| matches!(c, '"' | '\'' | '\\') || c.escape_debug().count() == 1;
    if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) {
        Some("a name has 1 to 100 characters")
    } else if !name.chars().all(is_printable) {
        Some("a name has printable characters only")
    } else if name.trim() != name {
        Some("a name neither begins nor ends with a space")
    } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("a name is more than a number, so that it is not taken for a key's number")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_name_unprintable_is_refused() {
        let longest = "x".repeat(NAME_CHARS_MAX);
        for name in ["x", "back office", "Büro \"Süd\" \\ 2", "東京", "2nd", "-1", &longest] {
            assert_eq!(name_problem(name), None, "{name}");
        }
        let too_long = "x".repeat(NAME_CHARS_MAX + 1);
        for name in ["", " x", "x ", "a\nb", "a\tb", "a\u{7f}", "a\u{202e}b", "a\u{200b}", "7", &too_long] {
            assert!(name_problem(name).is_some(), "{name:?}");
        }
    }
}
