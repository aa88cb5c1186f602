//! The headers that stay with a delivery: those that say how to read the body and who sent it.

use axum::http::{HeaderMap, HeaderValue};

use crate::domain::Header;

/// The headers that every delivery may have.
const COMMON: [&str; 3] = ["content-type", "content-encoding", "user-agent"];
/// How the names of a vendor's own headers begin, after `X-` if they have that. All others stay
/// out: what a proxy adds may be a secret, such as a token that proves the proxy.
const VENDOR_PREFIXES: [&str; 12] = [
    "arcsite",
    "bidsketch",
    "webhook",
    "hook",
    "event",
    "delivery",
    "request-id",
    "correlation-id",
    "attempt",
    "retry",
    "signature",
    "timestamp",
];
/// How many headers stay with a delivery.
const HEADERS_MAX: usize = 20;
/// How many characters of a value stay. The longest documented value, a signature, has 80.
const VALUE_CHARS_MAX: usize = 500;

/// The headers of a request that stay with its delivery.
pub(super) fn kept(headers: &HeaderMap) -> Vec<Header> {
    let vendors_own = headers.keys().map(|name| name.as_str()).filter(|name| is_vendors_own(name));
    let names = COMMON.into_iter().filter(|name| headers.contains_key(*name)).chain(vendors_own);
    names
        .take(HEADERS_MAX)
        .map(|name| Header {
            name: name.to_owned(),
            value: joined(headers, name).chars().take(VALUE_CHARS_MAX).collect(),
        })
        .collect()
}

fn is_vendors_own(name: &str) -> bool {
    let name = name.strip_prefix("x-").unwrap_or(name);
    VENDOR_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Joins repeated headers to one list (RFC 9110, 5.3). Bytes that are not text are replaced.
pub(super) fn joined(headers: &HeaderMap, name: &str) -> String {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.get_all(name).iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_content_sender_and_vendor_stay() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("x-arcsite-delivery", "7"),
            ("content-type", "application/json"),
            ("cookie", "a=b"),
            ("content-encoding", "identity"),
            ("content-encoding", "gzip"),
            ("arcsite-signature", "t=1,v=00"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-origin-verify", "secret"),
            ("user-agent", "ArcSite/1.0"),
            ("x-request-id", "abc"),
            ("host", "bidarc.example"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let kept: Vec<(String, String)> =
            kept(&headers).into_iter().map(|header| (header.name, header.value)).collect();
        let expected = [
            ("content-type", "application/json"),
            ("content-encoding", "identity,gzip"),
            ("user-agent", "ArcSite/1.0"),
            ("x-arcsite-delivery", "7"),
            ("arcsite-signature", "t=1,v=00"),
            ("x-request-id", "abc"),
        ];
        assert_eq!(kept.len(), expected.len(), "{kept:?}");
        for (name, value) in expected {
            assert!(kept.contains(&(name.to_owned(), value.to_owned())), "{name}: {kept:?}");
        }
    }

    #[test]
    fn kept_headers_are_bounded() {
        let mut headers = HeaderMap::new();
        for number in 0..100 {
            let name: axum::http::HeaderName = format!("x-webhook-{number}").parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(&[0xe9; 2_000]).unwrap());
        }
        headers.append("content-type", HeaderValue::from_static("application/json"));
        let kept = kept(&headers);
        assert_eq!(kept.len(), HEADERS_MAX);
        assert_eq!(kept[0].name, "content-type");
        assert!(kept.iter().all(|header| header.value.chars().count() <= VALUE_CHARS_MAX));
    }
}
