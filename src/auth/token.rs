//! The tokens of keys. A client sends one to prove that it holds a key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::{SysError, SysRng};
use secrecy::{ExposeSecret, SecretString};

use crate::domain;

/// The prefix of every token. It makes a leaked token easy to recognise.
const TOKEN_PREFIX: &str = "bidarc_";

/// The random part of a token: 256 bits.
const RANDOM_BYTES: usize = 32;

/// The operating system returned no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system returned no random bytes: {0}")]
pub struct TokenError(#[from] SysError);

/// A new token. Debug output does not show it.
#[derive(Debug)]
pub struct Token(SecretString);

impl Token {
    /// Generates a token: `bidarc_` and 256 bits from the operating system's random generator.
    pub fn generate() -> Result<Self, TokenError> {
        let mut bytes = [0; RANDOM_BYTES];
        SysRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// Its hash, which the database stores.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(self.expose())
    }

    /// The token itself, to show it to its user once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The SHA-256 of a token, in hexadecimal. A token has 256 random bits, so it needs no slow hash.
/// The lookup need not take constant time, because a client cannot choose a token by its hash.
pub(super) fn hash(token: &str) -> String {
    domain::token::hash(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_generated_are_random_and_hidden() {
        let (first, second) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_ne!(first.expose(), second.expose());
        assert_ne!(first.hash(), second.hash());
        let random = first.expose().strip_prefix(TOKEN_PREFIX).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), 32);
        assert!(!format!("{first:?}").contains(random), "{first:?}");
    }

    #[test]
    fn token_hash_is_sha256() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc"), expected);
    }
}
