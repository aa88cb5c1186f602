//! The signature that ArcSite puts on a hook whose webhook has a secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header that carries the signature.
pub const HEADER: &str = "ArcSite-Signature";

/// The value of [`HEADER`] for a body sent at `t` (Unix seconds): `t=<t>,v=<hex>`.
///
/// ArcSite's rule: `v` is HMAC-SHA256 over `<t>.<raw body>`, with the webhook's secret as key. The
/// body is the bytes on the wire, not a JSON value that was parsed and written again.
pub fn sign(secret: &str, t: i64, body: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length: this cannot fail")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(t.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={t},v={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected value is OpenSSL's:
    /// `printf '%s' '1642306763.{"event":…}' | openssl dgst -sha256 -hmac whsec_5f3a`.
    #[test]
    fn signature_equals_that_of_openssl() {
        let body = br#"{"event":"project.created","data":{"id":36029621652695040}}"#;
        assert_eq!(
            sign("whsec_5f3a", 1_642_306_763, body),
            "t=1642306763,v=2993121e987353ecf67212633589addbed3aa3c8d423b0303c6ce6bbc5d1c67d"
        );
    }

    #[test]
    fn signature_depends_on_secret_time_and_every_byte() {
        let signature = sign("secret", 1, b"{}");
        assert_ne!(signature, sign("Secret", 1, b"{}"));
        assert_ne!(signature.split_once(",v=").unwrap().1, sign("secret", 2, b"{}").split_once(",v=").unwrap().1);
        assert_ne!(signature, sign("secret", 1, b"{ }"));
    }
}
