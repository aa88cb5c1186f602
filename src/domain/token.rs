//! Tokens of hook URLs: 256 random bits. Only their SHA-256 is stored.

use sha2::{Digest, Sha256};

/// The length of a token before its encoding, in bytes.
const TOKEN_BYTES: usize = 32;

/// Generates a token in hexadecimal digits, which need no escapes in a URL.
#[must_use]
pub fn generate() -> String {
    hex::encode(rand::random::<[u8; TOKEN_BYTES]>())
}

/// Whether a text has the form of a token.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    text.len() == 2 * TOKEN_BYTES && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The SHA-256 of a secret text in hexadecimal digits. It is stored instead of the text.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_tokens_differ() {
        let (first, second) = (generate(), generate());
        assert_ne!(first, second);
        assert!(is_well_formed(&first) && is_well_formed(&second));
        assert!(!is_well_formed("") && !is_well_formed(&first[1..]) && !is_well_formed(&first.replace(|_| true, "F")));
        assert_ne!(hash(&first), first);
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
