//! The tokens of keys: what a client sends to prove that it has one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::{SysError, SysRng};
use secrecy::{ExposeSecret, SecretString};

use crate::domain;

/// What every token begins with, so that one that turns up where it should not is recognised.
const TOKEN_PREFIX: &str = "bidarc_";

/// How much of a token is random: 256 bits.
const RANDOM_BYTES: usize = 32;

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct TokenError(#[from] SysError);

/// A token that has just been made. It does not show in debug output.
#[derive(Debug)]
pub struct Token(SecretString);

impl Token {
    /// A token that nobody can guess: `bidarc_` and 256 bits of the operating system's generator.
    ///
    /// # Errors
    ///
    /// Where the operating system gives no random bytes.
    pub fn generate() -> Result<Self, TokenError> {
        let mut bytes = [0; RANDOM_BYTES];
        SysRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(self.expose())
    }

    /// The token itself, to be shown to whom it is for.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What is kept of a token: its SHA-256, in hexadecimal. With 256 random bits in the token nothing slower is needed; and to
/// look a hash up tells nothing by its time, since nobody can choose a token by its hash.
pub(super) fn hash(token: &str) -> String {
    domain::token::hash(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_generated_are_random_and_hidden() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_ne!(one.hash(), other.hash());
        let random = one.expose().strip_prefix(TOKEN_PREFIX).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), 32);
        assert!(!format!("{one:?}").contains(random), "{one:?}");
    }

    #[test]
    fn token_hash_is_sha256() {
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc"), of_abc);
    }
}
