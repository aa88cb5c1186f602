//! Tokens of hook URLs: 256 random bits, of which only the SHA-256 is kept.

use sha2::{Digest, Sha256};

/// How many bytes a token has.
const TOKEN_BYTES: usize = 32;

/// A new token, in hexadecimal digits: they mean the same in every URL.
#[must_use]
pub fn generate() -> String {
    hex::encode(rand::random::<[u8; TOKEN_BYTES]>())
}

/// Whether a text is of a token's form.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    text.len() == 2 * TOKEN_BYTES && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
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
    fn generated_tokens_differ() {
        let (one, other) = (generate(), generate());
        assert_ne!(one, other);
        assert!(is_well_formed(&one) && is_well_formed(&other));
        assert!(!is_well_formed("") && !is_well_formed(&one[1..]) && !is_well_formed(&one.replace(|_| true, "F")));
        assert_ne!(hash(&one), one);
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
