//! The header `ArcSite-Signature: t=<unix seconds>,v=<hex>`. `v` is the HMAC-SHA256 over
//! `<t>.<raw body>`, with the webhook's secret as key. Other `key=value` elements are ignored. Any
//! `v` may match any configured secret: each webhook has its own, and two are valid during a
//! rotation.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The header's name, in lower case as in HTTP/2.
pub const HEADER: &str = "arcsite-signature";

/// A header's elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// `t` as written. These characters are signed.
    t: &'a str,
    /// `t` in Unix seconds.
    pub unix_seconds: i64,
    /// Every `v` that is 32 bytes in hexadecimal.
    digests: Vec<[u8; 32]>,
}

/// Why a signature does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is not `t=…,v=…`.
    #[error("the header ArcSite-Signature is malformed; it must be t=<unix seconds>,v=<hex>")]
    Malformed,
    /// Two `t`: it would be ambiguous which one is signed.
    #[error("the header ArcSite-Signature repeats its time `t`")]
    RepeatedTime,
    /// No `v` matches any secret.
    #[error("the signature matches no configured secret")]
    Wrong,
}

impl<'a> Signature<'a> {
    /// Parses the header's value.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Malformed`] if an element has no `=`, or `t` is missing or not a number;
    /// [`SignatureError::RepeatedTime`] if there are two `t`.
    pub fn parse(header: &'a str) -> Result<Self, SignatureError> {
        let mut t = None;
        let mut digests = Vec::new();
        for element in header.split(',') {
            let (key, value) = element.split_once('=').ok_or(SignatureError::Malformed)?;
            match key.trim() {
                "t" if t.is_some() => return Err(SignatureError::RepeatedTime),
                "t" => t = Some(value.trim()),
                "v" => {
                    let mut bytes = [0; 32];
                    // A value that is not a digest cannot match, but another one may.
                    if hex::decode_to_slice(value.trim(), &mut bytes).is_ok() {
                        digests.push(bytes);
                    }
                }
                _ => {}
            }
        }
        let t = t.ok_or(SignatureError::Malformed)?;
        let is_digits = !t.is_empty() && t.bytes().all(|byte| byte.is_ascii_digit());
        let unix_seconds = t.parse().ok().filter(|_| is_digits).ok_or(SignatureError::Malformed)?;
        Ok(Self { t, unix_seconds, digests })
    }

    /// Whether a body can exist that this signature matches.
    #[must_use]
    pub fn has_digest(&self) -> bool {
        !self.digests.is_empty()
    }

    /// Verifies the raw body, in a time that does not depend on the position of a difference.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Wrong`] if no digest matches any of the secrets.
    pub fn verify(&self, body: &[u8], secrets: &[SecretString]) -> Result<(), SignatureError> {
        let mut matched = Choice::from(0);
        for secret in secrets {
            let expected = digest(secret.expose_secret().as_bytes(), self.t, body);
            for digest in &self.digests {
                matched |= digest[..].ct_eq(&expected[..]);
            }
        }
        if bool::from(matched) { Ok(()) } else { Err(SignatureError::Wrong) }
    }
}

fn digest(secret: &[u8], t: &str, body: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so `new_from_slice` cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { unreachable!("HMAC takes keys of any length") };
    mac.update(t.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // printf '1700000000.{"event":"x","data":{}}' | openssl dgst -sha256 -hmac whsec_1
    const BODY: &[u8] = br#"{"event":"x","data":{}}"#;
    const VALID_DIGEST: &str = "aa572305c48c83d169452a56e27fd046a6466abc83aa61e4453a3dcba4ba2aaa";

    fn secrets(secrets: &[&str]) -> Vec<SecretString> {
        secrets.iter().map(|secret| SecretString::from(*secret)).collect()
    }

    fn check(header: &str, keys: &[&str]) -> Result<i64, SignatureError> {
        let signature = Signature::parse(header)?;
        signature.verify(BODY, &secrets(keys)).map(|()| signature.unix_seconds)
    }

    #[test]
    fn documented_header_verifies() {
        assert_eq!(check(&format!("t=1700000000,v={VALID_DIGEST}"), &["whsec_1"]), Ok(1_700_000_000));
        assert_eq!(check(&format!("t=1700000000, v={}", VALID_DIGEST.to_uppercase()), &["whsec_1"]), Ok(1_700_000_000));
        assert_eq!(
            check(&format!("v={VALID_DIGEST},t=1700000000,scheme=2"), &["whsec_0", "whsec_1"]),
            Ok(1_700_000_000)
        );
        assert_eq!(
            check(&format!("t=1700000000,v={},v={VALID_DIGEST}", "00".repeat(32)), &["whsec_1"]),
            Ok(1_700_000_000)
        );
    }

    #[test]
    fn malformed_or_mismatched_header_is_rejected() {
        use SignatureError::{Malformed, RepeatedTime, Wrong};
        for (header, error) in [
            (String::new(), Malformed),
            ("nonsense".to_owned(), Malformed),
            (format!("v={VALID_DIGEST}"), Malformed),
            (format!("t=,v={VALID_DIGEST}"), Malformed),
            (format!("t=+1700000000,v={VALID_DIGEST}"), Malformed),
            (format!("t=1700000000000000000000,v={VALID_DIGEST}"), Malformed),
            (format!("t=1700000000,t=1700000000,v={VALID_DIGEST}"), RepeatedTime),
            ("t=1700000000".to_owned(), Wrong),
            ("t=1700000000,v=".to_owned(), Wrong),
            ("t=1700000000,v=zz".to_owned(), Wrong),
            (format!("t=1700000001,v={VALID_DIGEST}"), Wrong),
            (format!("t=1700000000,v={}", &VALID_DIGEST[..62]), Wrong),
        ] {
            assert_eq!(check(&header, &["whsec_1"]), Err(error), "{header}");
        }
        assert_eq!(check(&format!("t=1700000000,v={VALID_DIGEST}"), &["whsec_2"]), Err(Wrong));
        assert_eq!(check(&format!("t=1700000000,v={VALID_DIGEST}"), &[]), Err(Wrong));
    }

    proptest! {
        #[test]
        fn parse_any_header_never_panics(header in ".{0,80}") {
            if let Ok(signature) = Signature::parse(&header) {
                let _ = signature.verify(BODY, &secrets(&["a"]));
            }
        }

        #[test]
        fn body_with_flipped_bit_is_rejected(body in proptest::collection::vec(any::<u8>(), 1..100), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let header = format!("t=1,v={}", hex::encode(digest(b"s", "1", &body)));
            let signature = Signature::parse(&header).unwrap();
            prop_assert_eq!(signature.verify(&body, &secrets(&["s"])), Ok(()));
            let mut other = body.clone();
            other[at.index(body.len())] ^= 1 << bit;
            prop_assert_eq!(signature.verify(&other, &secrets(&["s"])), Err(SignatureError::Wrong));
        }
    }
}
