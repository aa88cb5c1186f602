//! Expiring links carry a signature in their query, and a retry may sign them again. Comparing two
//! payloads must therefore ignore these queries, and a repeated event may renew a link.

use chrono::DateTime;
use sha2::{Digest, Sha256};

use crate::clock::Time;

/// Computes the SHA-256 of a JSON text without the queries of its expiring links. An expiring link
/// is an `http` string whose query has `Expires=` and `Signature=`, as ArcSite's CDN makes them.
/// Every other byte counts, as received.
#[must_use]
pub fn digest_without_signed_queries(json: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut rest = json;
    // Outside strings, JSON has no quotation mark, so each one opens or closes a string.
    while let Some(open) = rest.find('"') {
        let (before, string) = rest.split_at(open + 1);
        hash.update(before);
        let end = closing_quote(string);
        let (content, after) = string.split_at(end);
        match split_expiring(content) {
            Some((link, _)) => hash.update(link),
            None => hash.update(content),
        }
        let close = after.len().min(1);
        hash.update(&after[..close]);
        rest = &after[close..];
    }
    hash.update(rest);
    hash.finalize().into()
}

/// Splits an expiring link into the link and its query; `None` for any other text.
fn split_expiring(text: &str) -> Option<(&str, &str)> {
    let (link, query) = text.split_once('?')?;
    let is_expiring = link.starts_with("http") && query.contains("Expires=") && query.contains("Signature=");
    is_expiring.then_some((link, query))
}

/// Hashes a link without the query that expires: the first 16 hexadecimal digits of its SHA-256.
/// Fresh links of a file have the same.
#[must_use]
pub fn link_hash(link: &str) -> String {
    let lasting = split_expiring(link).map_or(link, |(lasting, _)| lasting);
    hex::encode(&Sha256::digest(lasting)[..8])
}

/// When an expiring link dies, as it says itself.
#[must_use]
pub fn expires_at(link: &str) -> Option<Time> {
    let (_, query) = split_expiring(link)?;
    DateTime::from_timestamp(expires(query)?.try_into().ok()?, 0)
}

/// The time in the query of an expiring link, in seconds since 1970.
fn expires(query: &str) -> Option<u64> {
    query.split('&').find_map(|part| part.strip_prefix("Expires="))?.parse().ok()
}

/// Whether a link is another one, signed again to expire later.
#[must_use]
pub fn is_renewal(stored: &str, link: &str) -> bool {
    match (split_expiring(stored), split_expiring(link)) {
        (Some((stored, stored_query)), Some((link, query))) => {
            stored == link && matches!((expires(stored_query), expires(query)), (Some(old), Some(new)) if new > old)
        }
        _ => false,
    }
}

/// Returns the index of the closing quotation mark of the string that begins here.
fn closing_quote(string: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in string.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index,
            _ => {}
        }
    }
    string.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resigned_link_has_the_same_digest() {
        let first = r#"{"id":1,"pdf_url":"https://cdn.example/a.pdf?Expires=1&Signature=abc&Key-Pair-Id=K"}"#;
        let second = r#"{"id":1,"pdf_url":"https://cdn.example/a.pdf?Expires=2&Signature=def&Key-Pair-Id=K"}"#;
        assert_eq!(digest_without_signed_queries(first), digest_without_signed_queries(second));
    }

    #[test]
    fn other_difference_changes_the_digest() {
        let base = digest_without_signed_queries(r#"{"id":1,"url":"https://cdn.example/a.pdf?Expires=1&Signature=a"}"#);
        for other in [
            r#"{"id":2,"url":"https://cdn.example/a.pdf?Expires=1&Signature=a"}"#,
            r#"{"id":1,"url":"https://cdn.example/b.pdf?Expires=1&Signature=a"}"#,
            r#"{"id":1, "url":"https://cdn.example/a.pdf?Expires=1&Signature=a"}"#,
            r#"{"id":1,"url":"https://cdn.example/a.pdf?page=1"}"#,
        ] {
            assert_ne!(digest_without_signed_queries(other), base, "{other}");
        }
        assert_ne!(
            digest_without_signed_queries(r#"{"website":"https://a.example/?page=1"}"#),
            digest_without_signed_queries(r#"{"website":"https://a.example/?page=2"}"#),
        );
        assert_ne!(
            digest_without_signed_queries(r#"{"a":"x\"?Expires=1&Signature=1"}"#),
            digest_without_signed_queries(r#"{"a":"x\"?Expires=2&Signature=1"}"#),
        );
    }

    #[test]
    fn fresh_links_of_a_file_have_one_hash() {
        let link = "https://cdn.example/a.pdf?Expires=1700000000&Signature=a&Key-Pair-Id=K";
        let fresh = "https://cdn.example/a.pdf?Signature=b&Expires=1700000001";
        assert_eq!(link_hash(link), link_hash(fresh));
        for other in ["https://cdn.example/b.pdf?Expires=1700000000&Signature=a", "https://cdn.example/a.pdf?v=1", ""] {
            assert_ne!(link_hash(link), link_hash(other), "{other}");
        }
        assert_eq!(expires_at(link), DateTime::from_timestamp(1_700_000_000, 0));
        let endless = "https://x.example/a?Expires=99999999999999999999&Signature=a";
        let far = "https://x.example/a?Expires=9999999999999999&Signature=a";
        for without in ["https://x.example/a", "https://x.example/a?Expires=soon&Signature=a", endless, far, ""] {
            assert_eq!(expires_at(without), None, "{without}");
        }
    }

    #[test]
    fn renewal_is_the_same_link_that_expires_later() {
        let stored = "https://cdn.example/a.pdf?Expires=1700000000&Signature=a&Key-Pair-Id=K";
        assert!(is_renewal(stored, "https://cdn.example/a.pdf?Expires=1700000001&Signature=b&Key-Pair-Id=K"));
        assert!(is_renewal(stored, "https://cdn.example/a.pdf?Signature=b&Expires=10000000000"));
        for link in [
            stored,
            "https://cdn.example/a.pdf?Expires=1699999999&Signature=b&Key-Pair-Id=K",
            "https://cdn.example/b.pdf?Expires=1700000001&Signature=b&Key-Pair-Id=K",
            "https://cdn.example/a.pdf?Expires=later&Signature=b",
            "https://cdn.example/a.pdf?Expires=1700000001",
            "https://cdn.example/a.pdf",
            "",
        ] {
            assert!(!is_renewal(stored, link), "{link}");
        }
        assert!(!is_renewal("https://cdn.example/a.pdf", stored));
    }
}
