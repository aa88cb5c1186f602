//! The URLs of stored files. A URL is signed, so that it needs no key, and expires.
//!
//! The key of the signatures is one for all nodes, in the table `secret`. Removing its row and
//! starting the nodes again makes all URLs invalid.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;
use tokio::sync::OnceCell;

use crate::clock::{Clock, Time};
use crate::domain::{Digest, FileId, FileKind};
use crate::store::{Store, StoreError, secrets};

/// The name of the key in the table of secrets.
const SECRET_NAME: &str = "files.url_signing_key";

/// A URL is given for so long before another takes its place, so that a browser has the file in its
/// cache. It is valid for at least as long, and at most twice as long.
const URL_PERIOD_SECONDS: i64 = 3600;

/// How long the name of a file in a URL may be, in letters.
const NAME_LETTERS_MAX: usize = 80;

/// What stays as it is in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The last segment of the URL of a thumbnail. A file's own name has an extension.
pub const THUMBNAIL: &str = "thumbnail";

/// A file, as its URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFile {
    /// Its number.
    pub id: FileId,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// The name under which a browser saves it, with an extension; [`THUMBNAIL`] for a thumbnail.
    pub name: String,
}

/// Why a URL gives no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// This service did not sign it.
    #[error("the URL of this file is not one that this service made")]
    Forged,
    /// It was valid before.
    #[error("the URL of this file has expired; query the file again for a new one")]
    Expired,
}

/// Signs the URLs of files, and checks them.
#[derive(Clone)]
pub struct UrlSigner(Arc<Inner>);

struct Inner {
    database: Store,
    clock: Clock,
    /// The URL of the service without a slash at its end; empty if it is not known.
    base: String,
    key: OnceCell<Hmac<Sha256>>,
}

impl fmt::Debug for UrlSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UrlSigner")
    }
}

/// The name under which a browser saves a file: the one that its event gives, else what it is. It
/// has the extension of its kind, and no character that has a meaning in a path or a header, or
/// that changes how the others are shown.
#[must_use]
pub fn file_name(id: FileId, role: &str, kind: FileKind, name: Option<&str>) -> String {
    let extension = match kind {
        FileKind::Pdf => "pdf",
        FileKind::Png => "png",
    };
    let is_shown = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '.' | '(' | ')');
    let letters = name.unwrap_or_default().chars().filter(is_shown).take(NAME_LETTERS_MAX);
    let name: String = letters.collect();
    let stem = name.trim_matches(['.', ' ']);
    let stem = stem.strip_suffix(extension).and_then(|stem| stem.strip_suffix('.')).unwrap_or(stem);
    if stem.is_empty() {
        return format!("{}-{}.{extension}", role.to_ascii_lowercase(), id.0);
    }
    format!("{stem}.{extension}")
}

impl UrlSigner {
    /// A signer of the URLs at `public_url`. Without one, URLs are paths.
    #[must_use]
    pub fn new(database: Store, clock: Clock, public_url: Option<String>) -> Self {
        let base = public_url.unwrap_or_default().trim_end_matches('/').to_owned();
        Self(Arc::new(Inner { database, clock, base, key: OnceCell::new() }))
    }

    /// The time by which URLs expire.
    #[must_use]
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// The key, which is read once, and made by the first node that needs it.
    async fn key(&self) -> Result<Hmac<Sha256>, StoreError> {
        let key = self.0.key.get_or_try_init(async || {
            let new: [u8; 32] = rand::random();
            let secret = secrets::get_or_insert(&self.0.database, SECRET_NAME, hex::encode(new)).await?;
            Hmac::<Sha256>::new_from_slice(secret.as_bytes())
                .map_err(|_| StoreError::Unreadable("the key of the URLs of files".to_owned()))
        });
        Ok(key.await?.clone())
    }

    /// The URL of a file. For an hour it is the same one.
    ///
    /// # Errors
    ///
    /// If the key cannot be read.
    pub async fn url(&self, file: &SignedFile) -> Result<String, StoreError> {
        let period = self.0.clock.now().timestamp().div_euclid(URL_PERIOD_SECONDS);
        let expires = (period + 2) * URL_PERIOD_SECONDS;
        let signature = hex::encode(signed(self.key().await?, file, expires).finalize().into_bytes());
        let SignedFile { id: FileId(id), digest, name } = file;
        let (base, name) = (&self.0.base, utf8_percent_encode(name, SEGMENT));
        Ok(format!("{base}/files/{id}/{name}?digest={digest}&expires={expires}&signature={signature}"))
    }

    /// Checks what a URL says. Returns how many seconds it is still valid for.
    ///
    /// # Errors
    ///
    /// The inner error says why the URL is refused; the outer one that the key cannot be read.
    pub async fn verify(
        &self,
        file: &SignedFile,
        expires: i64,
        signature: &[u8],
    ) -> Result<Result<i64, InvalidUrl>, StoreError> {
        let is_right = signed(self.key().await?, file, expires).verify_slice(signature).is_ok();
        let left = expires.saturating_sub(self.0.clock.now().timestamp());
        Ok(match is_right {
            true if left > 0 => Ok(left),
            true => Err(InvalidUrl::Expired),
            false => Err(InvalidUrl::Forged),
        })
    }
}

/// The signature of a URL. Each part ends with a character that it cannot have; the name is last.
fn signed(mut key: Hmac<Sha256>, file: &SignedFile, expires: i64) -> Hmac<Sha256> {
    key.update(format!("{}/{}/{expires}/{}", file.id.0, file.digest, file.name).as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_file_is_safe() {
        for (name, expected) in [
            (None, "signed-7.pdf"),
            (Some(""), "signed-7.pdf"),
            (Some("..."), "signed-7.pdf"),
            (Some("Fence with gate"), "Fence with gate.pdf"),
            (Some("Fence.pdf"), "Fence.pdf"),
            (Some("Fence.exe"), "Fence.exe.pdf"),
            (Some("../../etc/passwd"), "etcpasswd.pdf"),
            (Some("a\r\nSet-Cookie: x=\"y\";z"), "aSet-Cookie xyz.pdf"),
            (Some("\u{202e}fdp.exe"), "fdp.exe.pdf"),
            (Some("Zaun \u{fc}ber 3\u{a0}m"), "Zaun \u{fc}ber 3m.pdf"),
        ] {
            assert_eq!(file_name(FileId(7), "SIGNED", FileKind::Pdf, name), expected, "{name:?}");
        }
        assert_eq!(file_name(FileId(7), "DRAWING", FileKind::Png, Some(&"x".repeat(500))).len(), NAME_LETTERS_MAX + 4);
    }
}
