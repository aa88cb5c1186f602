//! The links in ArcSite's payloads: signed, and valid for a day.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::sample::Sampler;

/// The vendor's words: a link "will expire in 24 hours".
pub const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// A host that can never exist (RFC 2606), so a sample link leads nowhere.
const HOST: &str = "https://files.arcsite.example";

const KEY_PAIR_ID: &str = "KSAMPLE0EXAMPLE";

/// How many digits the code of a signature has.
const CODE_DIGITS: usize = 64;

/// How many letters make two signatures of one second different.
const SALT_LETTERS: usize = 16;

/// Signs the links of a world.
#[derive(Clone)]
pub struct Links {
    base: String,
    lifetime: TimeDelta,
    /// None where no server checks the links.
    key: Option<[u8; 32]>,
}

/// Why a link leads to no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkError {
    Forged,
    Expired,
}

impl Links {
    /// Links that lead nowhere, with made-up signatures.
    pub fn nowhere() -> Links {
        Links { base: HOST.to_owned(), lifetime: LIFETIME, key: None }
    }

    /// Links to a server at `base`, such as `http://127.0.0.1:8091`. The same seed signs with the
    /// same key.
    pub(crate) fn to(base: String, lifetime: TimeDelta, seed: u64) -> Links {
        Links { base, lifetime, key: Some(Sha256::digest(seed.to_be_bytes()).into()) }
    }

    /// Creates a link to a version of the file at `path`, signed at `at`:
    /// `…?Expires=<unix seconds>&Signature=…&Key-Pair-Id=…`. Two signatures of one file give two
    /// different links. A service must ignore the query when it compares two deliveries.
    ///
    /// The version is part of the signature, so that all versions have one path, and a link leads
    /// to the same bytes for ever.
    pub(crate) fn signed(&self, path: &str, version: u64, at: DateTime<Utc>, sampler: &mut Sampler) -> String {
        let expires = (at + self.lifetime).timestamp();
        // The same draws, so that a world has the same histories with each kind of links.
        let letters = sampler.letters(64);
        let signature = match &self.key {
            None => format!("{letters}__"),
            Some(key) => {
                let salt = &letters[..SALT_LETTERS];
                let code = code(key, path, expires, salt, version).finalize().into_bytes();
                format!("{}{salt}{version}", hex::encode(code))
            }
        };
        format!("{}/{path}?Expires={expires}&Signature={signature}&Key-Pair-Id={KEY_PAIR_ID}", self.base)
    }

    /// Checks a link by its path and its query. Returns the version of the file.
    pub(crate) fn check(&self, path: &str, query: &str, now: DateTime<Utc>) -> Result<u64, LinkError> {
        let value = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let parts = || {
            let key = self.key.as_ref()?;
            let expires: i64 = value("Expires")?.parse().ok()?;
            let (sent, rest) = value("Signature")?.split_at_checked(CODE_DIGITS)?;
            let (salt, version) = rest.split_at_checked(SALT_LETTERS)?;
            let version = version.parse().ok()?;
            let is_right = code(key, path, expires, salt, version).verify_slice(&hex::decode(sent).ok()?).is_ok();
            (is_right && value("Key-Pair-Id") == Some(KEY_PAIR_ID)).then_some((expires, version))
        };
        let (expires, version) = parts().ok_or(LinkError::Forged)?;
        if now.timestamp() >= expires { Err(LinkError::Expired) } else { Ok(version) }
    }
}

fn code(key: &[u8; 32], path: &str, expires: i64, salt: &str, version: u64) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut code = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    code.update(format!("{path}\n{expires}\n{salt}\n{version}").as_bytes());
    code
}

/// Hides the key.
impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("base", &self.base).field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_is_right_until_it_expires_and_only_as_it_was_signed() {
        let at = DateTime::from_timestamp(1_767_625_200, 0).unwrap();
        let mut sampler = Sampler::new(1);
        let links = Links::to("http://127.0.0.1:1".to_owned(), TimeDelta::seconds(60), 7);
        let link = links.signed("drawings/1/drawing.pdf", 3, at, &mut sampler);
        assert_ne!(link, links.signed("drawings/1/drawing.pdf", 3, at, &mut sampler));
        let (path, query) = link.strip_prefix("http://127.0.0.1:1/").unwrap().split_once('?').unwrap();
        assert_eq!(links.check(path, query, at + TimeDelta::seconds(59)), Ok(3));
        assert_eq!(links.check(path, query, at + TimeDelta::seconds(60)), Err(LinkError::Expired));
        let other_key = Links::to("http://127.0.0.1:1".to_owned(), TimeDelta::seconds(60), 8);
        assert_eq!(other_key.check(path, query, at), Err(LinkError::Forged));
        for (path, query) in [
            ("drawings/2/drawing.pdf", query.to_owned()),
            (path, query.replace("Expires=17", "Expires=18")),
            (path, query.replace("3&Key", "4&Key")),
            (path, query.replace("Key-Pair-Id=K", "Key-Pair-Id=L")),
            (path, query.replace("Signature=", "Signature=0")),
            (path, query.replace("Signature=", "Sig=")),
            (path, String::new()),
        ] {
            assert_eq!(links.check(path, &query, at), Err(LinkError::Forged), "{path} {query}");
        }
    }
}
