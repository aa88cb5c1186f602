//! Checks which web pages may use the API from a browser: the service's own, and those of
//! `server.allowed_origins`. Origins are compared as RFC 6454 says: by scheme, host and port.

use std::sync::Arc;
use std::time::Duration;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use url::{Origin, Url};

use crate::domain::endpoint;

/// The header in which a browser says which site a request comes from: `same-origin`, `same-site`,
/// `cross-site`, or `none` for one that the user makes. A page cannot set it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(1);

/// The origins of `server.allowed_origins`, and that of `server.public_url`.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins {
    /// Both.
    allowed: Arc<Vec<Origin>>,
    /// The origin of `server.public_url`, which is that of our own pages.
    public: Option<Origin>,
}

impl AllowedOrigins {
    /// Takes the configured URLs. Their paths do not matter.
    #[must_use]
    pub fn new<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        let allowed = urls.into_iter().filter_map(parse_origin).map(|url| url.origin()).collect();
        Self { allowed: Arc::new(allowed), public: None }
    }

    /// The same, with the URL at which the service's own pages are.
    #[must_use]
    pub fn with_public_url(mut self, url: Option<&str>) -> Self {
        self.public = url.and_then(parse_origin).map(|url| url.origin());
        Arc::make_mut(&mut self.allowed).extend(self.public.clone());
        self
    }

    /// Whether a request was certainly sent by a page of this service. A browser says so in
    /// `Sec-Fetch-Site`, or in `Origin` if it is older or the connection is not encrypted. Another
    /// port or scheme of the same host is another origin.
    pub(super) fn is_own_page(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let only = |name: HeaderName| {
            let mut values = headers.get_all(name).iter();
            values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
        };
        if headers.contains_key(SEC_FETCH_SITE) {
            return only(SEC_FETCH_SITE) == Some("same-origin");
        }
        let own = |text: &str| {
            parse_origin(text).filter(|origin| {
                origin.origin().ascii_serialization() == text && self.is_own(origin, host(uri, headers))
            })
        };
        only(header::ORIGIN).and_then(own).is_some()
    }

    /// Whether a page of another origin, or one of unknown origin, sent a request.
    pub(super) fn is_foreign_page(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let is_page = headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(header::ORIGIN);
        is_page && !self.is_own_page(uri, headers)
    }

    /// The service itself speaks plain HTTP, so a page of it that came directly has that scheme.
    /// With a public URL only this machine asks for it directly.
    fn is_own(&self, origin: &Url, host: Option<Authority>) -> bool {
        let is_direct = origin.scheme() == "http" && host.is_some_and(|host| is_host_of(origin, &host));
        match &self.public {
            Some(public) if *public == origin.origin() => true,
            Some(_) => is_direct && origin.host_str().is_some_and(endpoint::is_loopback),
            None => is_direct,
        }
    }

    /// Whether the origin of a request is allowed. A request without one was not sent by a web page
    /// of another site.
    pub(super) fn allows(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Some(origin) = origin.to_str().ok().and_then(parse_origin) else { return false };
        self.allowed.contains(&origin.origin()) || host(uri, headers).is_some_and(|host| is_host_of(&origin, &host))
    }

    /// Whether the site that a request comes from is allowed, as far as a browser says it. A page
    /// of another site can send a request without an origin, as for an image or a link; then only
    /// `Sec-Fetch-Site` tells. A page of a configured origin is of another site and allowed.
    pub(super) fn allows_site(&self, headers: &HeaderMap) -> bool {
        let is_own = |site: &HeaderValue| site == "same-origin" || site == "none";
        headers.get_all(SEC_FETCH_SITE).iter().all(is_own) || self.contains_origin(headers)
    }

    /// Whether the origin of a request is one of these.
    fn contains_origin(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).and_then(parse_origin);
        origin.is_some_and(|origin| self.allowed.contains(&origin.origin()))
    }

    /// The CORS layer for these origins. Their pages may send any header: clients have headers of
    /// their own, and a header says nothing that a page could not say in the body.
    pub(super) fn cors_layer(&self) -> CorsLayer {
        let allowed = Arc::clone(&self.allowed);
        let is_allowed = AllowOrigin::predicate(move |origin, _| {
            origin.to_str().ok().and_then(parse_origin).is_some_and(|origin| allowed.contains(&origin.origin()))
        });
        CorsLayer::new()
            .allow_origin(is_allowed)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([header::RETRY_AFTER])
            .max_age(PREFLIGHT_MAX_AGE)
    }
}

/// An origin as a URL. `None` for `null`, which is the origin of a sandbox or a file.
fn parse_origin(text: &str) -> Option<Url> {
    text.parse().ok().filter(|url: &Url| url.origin().is_tuple())
}

/// The host that a request is addressed to. Over HTTP/2 it is a part of the URI.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let header = || headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(header)
}

/// Whether the origin's host and port are these. The scheme may differ: a proxy may end TLS.
fn is_host_of(origin: &Url, host: &Authority) -> bool {
    let port = origin.port_or_known_default();
    origin.host_str().is_some_and(|name| name.eq_ignore_ascii_case(host.host()))
        && host.port_u16().or_else(|| default_port(origin)) == port
}

/// The port of the origin's scheme.
fn default_port(origin: &Url) -> Option<u16> {
    let mut without_port = origin.clone();
    without_port.set_port(None).ok()?;
    without_port.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(configured: &[&str], host: &str, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        AllowedOrigins::new(configured.iter().copied()).allows(&Uri::from_static("/graphql"), &headers)
    }

    #[test]
    fn origin_own_or_configured_is_allowed() {
        for (configured, host, origin) in [
            ("", "127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("", "office.example", "https://office.example"),
            ("", "office.example:443", "https://office.example"),
            ("", "OFFICE.example", "https://office.example:443"),
            ("", "[::1]:8080", "http://[::1]:8080"),
            ("https://office.example/", "10.0.0.1", "https://office.example"),
            ("https://Office.Example:443", "10.0.0.1", "https://office.example"),
            ("https://office.example", "10.0.0.1", "https://OFFICE.example:443"),
            ("https://office.example/bidarc/", "app:8080", "https://office.example"),
        ] {
            assert!(allowed(&[configured], host, origin), "{configured} {host} {origin}");
        }
        assert!(AllowedOrigins::default().allows(&Uri::from_static("/graphql"), &HeaderMap::new()));
    }

    fn is_own_page(public: Option<&str>, host: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        map.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let origins = AllowedOrigins::new(["https://other.example"]).with_public_url(public);
        origins.is_own_page(&Uri::from_static("/graphql"), &map)
    }

    #[test]
    fn own_page_is_of_the_same_site_port_and_scheme() {
        let public = Some("https://office.example/bidarc");
        for (public, host, headers) in [
            (None, "127.0.0.1:8080", &[("sec-fetch-site", "same-origin")][..]),
            (None, "127.0.0.1:8080", &[("origin", "http://127.0.0.1:8080")]),
            (None, "10.0.0.1", &[("origin", "http://10.0.0.1")]),
            (public, "office.example", &[("sec-fetch-site", "same-origin"), ("origin", "https://office.example")]),
            (public, "app:8080", &[("origin", "https://office.example")]),
            (public, "127.0.0.1:8080", &[("origin", "http://127.0.0.1:8080")]),
        ] {
            assert!(is_own_page(public, host, headers), "{public:?} {host} {headers:?}");
        }
        for (public, host, headers) in [
            (None, "127.0.0.1:8080", &[][..]),
            (None, "127.0.0.1:8080", &[("sec-fetch-site", "same-site")]),
            (None, "127.0.0.1:8080", &[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8080")]),
            (None, "127.0.0.1:8080", &[("sec-fetch-site", "none")]),
            (None, "127.0.0.1:8080", &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]),
            (None, "127.0.0.1:8080", &[("origin", "http://127.0.0.1:9090")]),
            (None, "127.0.0.1:8080", &[("origin", "http://localhost:8080")]),
            (None, "127.0.0.1:8080", &[("origin", "null")]),
            (None, "127.0.0.1:8080", &[("origin", "http://127.0.0.1:8080"), ("origin", "http://evil.example")]),
            (None, "office.example", &[("origin", "https://office.example")]),
            (None, "127.0.0.1:8080", &[("origin", "https://other.example")]),
            (public, "office.example", &[("origin", "http://office.example")]),
            (public, "office.example", &[("origin", "https://office.example:8443")]),
            (public, "office.example:8080", &[("origin", "http://office.example:8080")]),
            (public, "office.example", &[("origin", "https://other.example")]),
            (public, "app:8080", &[("origin", "http://app:8080")]),
        ] {
            assert!(!is_own_page(public, host, headers), "{public:?} {host} {headers:?}");
        }
    }

    #[test]
    fn other_origin_is_not_allowed() {
        for (host, origin) in [
            ("127.0.0.1:8080", "http://127.0.0.1:9090"),
            ("127.0.0.1:8080", "https://evil.example"),
            ("127.0.0.1:8080", "null"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080.evil.example"),
            ("127.0.0.1:8080", "http://office.example"),
            ("127.0.0.1:8080", "https://office.example:8443"),
            ("127.0.0.1:8080", "file:///tmp/page.html"),
            ("office.example", "https://office.example:8443"),
            ("a b", "https://evil.example"),
        ] {
            assert!(!allowed(&["https://office.example"], host, origin), "{host} {origin}");
        }
    }

    #[test]
    fn site_other_than_our_own_needs_a_configured_origin() {
        let origins = AllowedOrigins::new(["https://office.example"]);
        for (site, origin, is_allowed) in [
            (None, None, true),
            (Some("same-origin"), None, true),
            (Some("none"), None, true),
            (Some("same-site"), None, false),
            (Some("cross-site"), None, false),
            (Some("Same-Origin"), None, false),
            (Some("other"), None, false),
            (Some("cross-site"), Some("https://office.example"), true),
            (Some("cross-site"), Some("https://evil.example"), false),
            (Some("same-site"), Some("http://127.0.0.1:8080"), false),
        ] {
            let mut headers = HeaderMap::new();
            let (site_header, origin_header) =
                (site.map(|site| (SEC_FETCH_SITE, site)), origin.map(|origin| (header::ORIGIN, origin)));
            for (name, value) in site_header.into_iter().chain(origin_header) {
                headers.insert(name, HeaderValue::from_static(value));
            }
            assert_eq!(origins.allows_site(&headers), is_allowed, "{site:?} {origin:?}");
        }
    }
}
