//! Tokens: 256 random bits by which a sender proves who it is. Only their SHA-256 is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The prefix of a key's token. It makes a leaked token easy to recognise.
pub(crate) const KEY_TOKEN_PREFIX: &str = "bidarc_";

/// The length of a token before its encoding, in bytes.
const TOKEN_BYTES: usize = 32;

/// A new token. Debug output does not show it.
#[derive(Debug)]
pub struct Token(SecretString);

impl Token {
    /// Generates the token of a key: `bidarc_` and base64url.
    #[must_use]
    pub fn generate_for_key() -> Self {
        Self(format!("{KEY_TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random_bytes())).into())
    }

    /// Generates the token of a hook URL: hexadecimal digits.
    #[must_use]
    pub fn generate_for_hook() -> Self {
        Self(hex::encode(random_bytes()).into())
    }

    /// Generates the token of a browser's session: base64url, as a cookie takes it.
    #[must_use]
    pub fn generate_for_session() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random_bytes()).into())
    }

    /// Its hash, which the database stores.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(self.expose())
    }

    /// The token itself, to pass it on once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

fn random_bytes() -> [u8; TOKEN_BYTES] {
    rand::random()
}

/// Whether a text has the form of a hook URL's token.
#[must_use]
pub fn is_hook_token(text: &str) -> bool {
    text.len() == 2 * TOKEN_BYTES && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether a text has the form of a session's token.
#[must_use]
pub fn is_session_token(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == TOKEN_BYTES)
}

/// The SHA-256 of a secret text in hexadecimal digits. A token has 256 random bits, so it needs no
/// slow hash. Its lookup need not take constant time, because a client cannot choose a token by its
/// hash.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_generated_are_random_and_hidden() {
        for generate in [Token::generate_for_key, Token::generate_for_hook, Token::generate_for_session] {
            let (first, second) = (generate(), generate());
            assert_ne!(first.expose(), second.expose());
            assert_ne!(first.hash(), second.hash());
            let random = first.expose().trim_start_matches(KEY_TOKEN_PREFIX);
            assert!(!format!("{first:?}").contains(random), "{first:?}");
        }
    }

    #[test]
    fn token_forms_differ_by_use() {
        let (key, hook) = (Token::generate_for_key(), Token::generate_for_hook());
        let random = key.expose().strip_prefix(KEY_TOKEN_PREFIX).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), TOKEN_BYTES);
        let session = Token::generate_for_session();
        assert!(is_session_token(session.expose()) && !is_session_token(&format!("{}A", session.expose())));
        assert!(!is_session_token("") && !is_session_token(key.expose()) && !is_session_token(hook.expose()));
        let hook = hook.expose();
        assert!(is_hook_token(hook) && !is_hook_token(key.expose()));
        assert!(!is_hook_token("") && !is_hook_token(&hook[1..]) && !is_hook_token(&hook.replace(|_| true, "F")));
    }

    #[test]
    fn token_hash_is_sha256() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
