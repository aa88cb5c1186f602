//! The URL to which a webhook sends.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::shown_url::{SECRET_PART_BYTES_MIN, shown_url};

/// Replaces a secret part.
const MASK: &str = "…";
/// A parameter of the query that has at least this many bytes counts as a secret.
const SECRET_PARAMETER_BYTES_MIN: usize = 4;
/// Stands for a text that repeats a secret in another spelling.
const WITHHELD: &str = "(a text that repeats the endpoint, not shown)";
/// How often escapes are decoded: a text may have been escaped more than once.
const DECODE_PASSES_MAX: usize = 3;
/// The greatest length of an endpoint, in bytes.
const ENDPOINT_BYTES_MAX: usize = 2000;

/// A URL to which a webhook may send: https, or http on this machine only.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a text is not an endpoint. The message says what a correct endpoint looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// The text is not a URL with a host.
    #[error("an endpoint must be a URL like https://office.example.com/hooks")]
    NotAUrl,
    /// The URL is not encrypted, so others on the network could read the deliveries.
    #[error("an endpoint must be an https URL (http only for a loopback address)")]
    NotSecure,
    /// The URL has a user name, a password or a fragment. Vendors do not send these, and they could
    /// put a secret into a log.
    #[error("an endpoint must not contain a user name, a password or a fragment")]
    ForbiddenPart,
    /// The text is longer than any real endpoint.
    #[error("an endpoint must not be longer than {ENDPOINT_BYTES_MAX} bytes")]
    TooLong,
}

impl Endpoint {
    /// Parses an endpoint that a user enters.
    pub fn parse(text: &str) -> Result<Self, InvalidEndpoint> {
        let text = text.trim();
        if text.len() > ENDPOINT_BYTES_MAX {
            return Err(InvalidEndpoint::TooLong);
        }
        let url: Url = text.parse().map_err(|_| InvalidEndpoint::NotAUrl)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(InvalidEndpoint::NotAUrl)?;
        if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(host)) {
            return Err(InvalidEndpoint::NotSecure);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(InvalidEndpoint::ForbiddenPart);
        }
        Ok(Self(url))
    }

    /// This service's own hook URL with a token, below the service's base URL.
    ///
    /// # Errors
    ///
    /// `base` is not a URL with a host.
    pub fn own_hook(base: &str, token: &str) -> Result<Self, InvalidEndpoint> {
        let mut url: Url = base.parse().map_err(|_| InvalidEndpoint::NotAUrl)?;
        url.path_segments_mut().map_err(|()| InvalidEndpoint::NotAUrl)?.pop_if_empty().extend([
            "webhooks",
            "bidsketch",
            token,
        ]);
        Ok(Self(url))
    }

    /// The whole URL, including its secrets.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// The URL with its secret parts masked: the query, and long parts of the path.
    #[must_use]
    pub fn masked(&self) -> String {
        shown_url(self.0.as_str())
    }

    /// Masks this endpoint's secrets in a text from outside, such as a vendor's error message. A
    /// text that holds one in another spelling, percent-encoded or escaped, is withheld as a whole.
    #[must_use]
    pub fn mask_in(&self, text: &str) -> String {
        let parameters = self.0.query_pairs().map(|(_, value)| value.into_owned());
        let raw_parameters = self.0.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let parameters = parameters.chain(raw_parameters.map(|(_, value)| value.to_owned()));
        let parts = self.0.path().split('/').filter(|part| part.len() >= SECRET_PART_BYTES_MIN).map(str::to_owned);
        let mut secrets: Vec<String> = parameters
            .filter(|value| value.len() >= SECRET_PARAMETER_BYTES_MIN)
            .chain(parts)
            .chain(self.0.query().filter(|query| !query.is_empty()).map(str::to_owned))
            .collect();
        // The longest first: one may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let masked = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK));
        let plain = decode(&masked);
        if secrets.iter().any(|secret| plain.contains(&decode(secret))) { WITHHELD.to_owned() } else { masked }
    }
}

/// A text without escapes of URLs, JSON and HTML, and in lower case.
fn decode(text: &str) -> String {
    let mut decoded = text.to_owned();
    for _ in 0..DECODE_PASSES_MAX {
        let mut json = String::with_capacity(decoded.len());
        let mut rest = decoded.as_str();
        while let Some((before, escape)) = rest.split_once('\\') {
            json.push_str(before);
            let letter = escape.strip_prefix('u').and_then(|hex| u32::from_str_radix(hex.get(..4)?, 16).ok());
            (rest, json) = match letter.and_then(char::from_u32) {
                Some(letter) => (&escape[5..], json + letter.encode_utf8(&mut [0; 4])),
                None => (escape, json),
            };
        }
        json.push_str(rest);
        let mut html = json;
        for (entity, letter) in [("&amp;", "&"), ("&#x2f;", "/"), ("&#47;", "/"), ("&#x3d;", "="), ("&#61;", "=")] {
            html = html.replace(entity, letter);
        }
        let next = percent_decode_str(&html.replace('+', " ")).decode_utf8_lossy().to_lowercase();
        if next == decoded {
            break;
        }
        decoded = next;
    }
    decoded
}

/// Shows the masked URL.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Whether a host, as written in a URL or a Host header without its port, is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_only_https_or_loopback() {
        for valid in [
            "https://office.example.com/hooks",
            "https://office.example.com:8443/?key=1",
            "http://127.0.0.1:8080/x",
            "http://localhost/x",
            "http://[::1]:9/x",
        ] {
            assert_eq!(Endpoint::parse(valid).map(|endpoint| endpoint.expose().to_owned()).as_deref(), Ok(valid));
        }
        for (invalid, why) in [
            ("", InvalidEndpoint::NotAUrl),
            ("office.example.com/hooks", InvalidEndpoint::NotAUrl),
            ("https://", InvalidEndpoint::NotAUrl),
            ("http://office.example.com", InvalidEndpoint::NotSecure),
            ("http://127.0.0.1.example.com", InvalidEndpoint::NotSecure),
            ("ftp://127.0.0.1/x", InvalidEndpoint::NotSecure),
            ("https://user:pass@office.example.com", InvalidEndpoint::ForbiddenPart),
            ("https://office.example.com/#x", InvalidEndpoint::ForbiddenPart),
        ] {
            assert_eq!(Endpoint::parse(invalid), Err(why), "{invalid}");
        }
        let longest = format!("https://a.example/{}", "x".repeat(ENDPOINT_BYTES_MAX - "https://a.example/".len()));
        assert!(Endpoint::parse(&format!("\n {longest} \t")).is_ok(), "spaces around it do not count");
        assert_eq!(Endpoint::parse(&(longest + "x")), Err(InvalidEndpoint::TooLong));
    }

    #[test]
    fn endpoint_secrets_are_masked() {
        let masked = |text| Endpoint::parse(text).unwrap().masked();
        assert_eq!(masked("https://a.example/hooks/bidsketch"), "https://a.example/hooks/bidsketch");
        assert_eq!(masked("https://a.example:8443/x/?key=hush"), "https://a.example:8443/x/?…");
        let own = Endpoint::own_hook("https://a.example/base/", &"s".repeat(64)).unwrap();
        assert_eq!(own.expose(), format!("https://a.example/base/webhooks/bidsketch/{}", "s".repeat(64)));
        assert_eq!(own.masked(), "https://a.example/base/webhooks/bidsketch/…");
        assert_eq!(format!("{own:?}"), own.masked());
        let message = format!("Endpoint https:\\/\\/a.example\\/webhooks\\/bidsketch\\/{} is down", "s".repeat(64));
        assert!(!own.mask_in(&message).contains("sss") && own.mask_in(&message).ends_with("… is down"));
    }

    #[test]
    fn secret_in_any_spelling_is_not_shown() {
        let endpoint = Endpoint::parse("https://a.example/x?event=PROPOSAL&key=hun%2Fter%262&flag=1").unwrap();
        for (text, shown) in [
            ("invalid: ?event=PROPOSAL&key=hun%2Fter%262&flag=1", "invalid: ?…"),
            ("the key hun%2Fter%262 is wrong", "the key … is wrong"),
            ("the key hun/ter&2 is wrong", "the key … is wrong"),
            ("flag 1 of 4 is wrong", "flag 1 of 4 is wrong"),
            ("the key hun%2fter%262 is wrong", WITHHELD),
            ("the key hun%252Fter%25262 is wrong", WITHHELD),
            ("the key hun/ter%262 is wrong", WITHHELD),
            (r"the key hun\/ter\u00262 is wrong", WITHHELD),
            ("the key hun/ter&amp;2 is wrong", WITHHELD),
            ("the key HUN/TER&amp;2 is wrong", WITHHELD),
            (
                r"a lone \ and \u12 and \ud800 and % and %zz and 100%",
                r"a lone \ and \u12 and \ud800 and % and %zz and 100%",
            ),
        ] {
            assert_eq!(endpoint.mask_in(text), shown, "{text}");
        }
        let path = Endpoint::own_hook("https://a.example/", &"ab".repeat(32)).unwrap();
        assert_eq!(path.mask_in(&"AB".repeat(32)), WITHHELD);
        assert_eq!(path.mask_in(&"%61b".repeat(32)), WITHHELD);
    }
}
