//! Makes and revokes keys. Every running service notices a change within a second, whichever
//! process makes it.

use chrono::SecondsFormat;

use super::{ApiKey, Scope, Token};
use crate::clock::Time;
use crate::domain::AuditKind;
use crate::store::audit::{self, NewEntry};
use crate::store::keys::{self, NewApiKey};
use crate::store::{Store, StoreError, Transaction, sessions};

/// The longest name of a key, in characters.
const NAME_CHARS_MAX: usize = 100;

/// Why a key was not made or revoked. The message is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The name is not allowed.
    #[error("{name:?} cannot be the name of a key: {problem}")]
    InvalidName {
        /// The name.
        name: String,
        /// The rule that it breaks.
        problem: &'static str,
    },
    /// An active key has this name.
    #[error("there is already an active key {0:?}; revoke it first, or choose another name")]
    NameTaken(String),
    /// No active key has this name, and no key this id.
    #[error("there is no active key {0:?}; `bidarc keys list` shows all keys")]
    NotFound(String),
    /// The key is revoked already.
    #[error("the key {id} ({name:?}) is already revoked")]
    AlreadyRevoked {
        /// Its id.
        id: i64,
        /// Its name.
        name: String,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key that was revoked.
#[derive(Debug)]
pub struct Revocation {
    /// The key.
    pub key: ApiKey,
    /// How many keys are not revoked.
    pub remaining: usize,
}

/// Makes a key and returns its token, which is stored nowhere. The name must be free among the
/// active keys. A key that has expired gives its name to the new one, and is revoked.
pub async fn add(
    store: &Store,
    name: &str,
    scope: Scope,
    expires_at: Option<Time>,
    now: Time,
) -> Result<Token, AdminError> {
    if let Some(problem) = name_problem(name) {
        return Err(AdminError::InvalidName { name: name.to_owned(), problem });
    }
    let token = Token::generate_for_key();
    let tx = store.begin().await?;
    if let Some(key) = keys::active_by_name(&tx, name).await? {
        if !key.is_expired(now) {
            return Err(AdminError::NameTaken(name.to_owned()));
        }
        revoke_found(&tx, &key, now).await?;
    }
    let id =
        keys::insert(&tx, &NewApiKey { name, scope, token_hash: &token.hash(), created_at: now, expires_at }).await?;
    let expiry = expires_at.map_or_else(|| "never expires".to_owned(), |time| format!("expires {}", show_time(time)));
    append(&tx, AuditKind::KeyAdded, format!("key {id} {name:?}, scope {scope}, {expiry}"), now).await?;
    store.commit(tx, None).await?;
    Ok(token)
}

/// All keys, revoked ones included, oldest first.
pub async fn list(store: &Store) -> Result<Vec<ApiKey>, AdminError> {
    Ok(keys::all(store.reader()).await?)
}

/// Revokes the active key with this name, or the key with this id.
pub async fn revoke(store: &Store, name_or_id: &str, now: Time) -> Result<Revocation, AdminError> {
    let tx = store.begin().await?;
    let key = match keys::active_by_name(&tx, name_or_id).await? {
        Some(key) => Some(key),
        None => match name_or_id.parse() {
            Ok(id) => keys::by_id(&tx, id).await?,
            Err(_) => None,
        },
    };
    let Some(key) = key else { return Err(AdminError::NotFound(name_or_id.to_owned())) };
    if key.revoked_at.is_some() {
        return Err(AdminError::AlreadyRevoked { id: key.id, name: key.name });
    }
    revoke_found(&tx, &key, now).await?;
    let remaining = keys::active(&tx).await?.len();
    store.commit(tx, None).await?;
    Ok(Revocation { key: ApiKey { revoked_at: Some(now), ..key }, remaining })
}

/// Revokes a key and ends its sessions.
async fn revoke_found(tx: &Transaction, key: &ApiKey, now: Time) -> Result<(), StoreError> {
    keys::revoke(tx, key.id, now).await?;
    sessions::delete_of_key(tx, key.id).await?;
    append(tx, AuditKind::KeyRevoked, format!("key {} {:?}", key.id, key.name), now).await
}

/// Appends an entry to the audit. Keys are made and revoked on the command line, by no key.
async fn append(tx: &Transaction, kind: AuditKind, detail: String, at: Time) -> Result<(), StoreError> {
    let action = kind.action().to_owned();
    audit::append(tx, &NewEntry { at, kind, actor: None, action, detail: Some(detail), count: 1, sum_key: None }).await
}

fn show_time(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The rule that a name breaks, if any.
fn name_problem(name: &str) -> Option<&'static str> {
    // Debug output escapes unprintable characters. It escapes quotes and backslashes as well, but
    // they are printable.
    let is_printable = |c: char| matches!(c, '"' | '\'' | '\\') || c.escape_debug().count() == 1;
    if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) {
        Some("a name must have 1 to 100 characters")
    } else if !name.chars().all(is_printable) {
        Some("a name must have printable characters only")
    } else if name.trim() != name {
        Some("a name must not begin or end with a space")
    } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("a name must not be a number, because it could be confused with the id of a key")
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
