//! Tokens of hook URLs: 256 random bits, of which only the SHA-256 is kept.

use sha2::{Digest, Sha256};

/// How many bytes a token has.
const BYTES: usize = 32;

/// A new token, in hexadecimal digits: they mean the same in every URL.
#[must_use]
pub fn new() -> String {
    hex::encode(rand::random::<[u8; BYTES]>())
}

/// Whether a text is of a token's form.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The SHA-256 of a secret text in hexadecimal digits, which is kept in its place.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_the_same() {
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        assert!(is_token(&one) && is_token(&other));
        assert!(!is_token("") && !is_token(&one[1..]) && !is_token(&one.replace(|_| true, "F")));
        assert_ne!(hash(&one), one);
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
