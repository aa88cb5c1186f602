//! Open mode: a first try needs no keys and no secrets, so only this machine is served. A request
//! that shows that it came through a proxy, is addressed to another host, or was sent by another
//! site's page in a browser gets 403. A proxy or tunnel on this machine that leaves no trace cannot
//! be told from a program of this machine; docs/SECURITY.md says which.
//!
//! While there is no key, this applies to every route except the health pages. Once there is a key,
//! it applies to the hooks of a vendor without a secret. A request with a key and a delivery with
//! proof may come through a proxy.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::HttpError;
use super::hooks::HOOK_PATH_PREFIX;
use super::origin::AllowedOrigins;
use super::server::Exchange;
use super::session::SessionCookie;
use crate::auth::Keys;
use crate::domain::{Provider, endpoint};
use crate::ingest::Ingest;

/// Decides whether the API is open, and to which web pages.
#[derive(Clone)]
pub(super) struct AccessPolicy {
    pub(super) keys: Keys,
    pub(super) origins: AllowedOrigins,
    /// The cookie of a browser's session.
    pub(super) cookie: SessionCookie,
}

/// Headers that a proxy adds, besides all that begin with `x-forwarded-`.
const PROXY_HEADERS: [&str; 9] = [
    "cdn-loop",
    "cf-connecting-ip",
    "forwarded",
    "proxy-connection",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-original-host",
    "x-real-ip",
];

/// The options of `Connection` that a client sends for itself, besides `upgrade`.
const CLIENT_CONNECTION_OPTIONS: [&str; 4] = ["close", "http2-settings", "keep-alive", "te"];
/// The values of `Connection` that nginx's documented configurations write. nginx writes such a
/// header before `Host`; clients write `Host` first, or spell the value differently.
const NGINX_CONNECTION_VALUES: [&str; 2] = ["close", "upgrade"];

/// Restricts open hooks to this machine, and every other route as well while there is no key.
pub(super) async fn restrict_open_mode(
    State((policy, ingest)): State<(AccessPolicy, Arc<Ingest>)>,
    Extension(exchange): Extension<Arc<Exchange>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let hook = hook_provider(path);
    let is_open = policy.keys.is_open_mode() || hook.is_some_and(|provider| ingest.verifier.is_open(provider));
    if is_open && let Err(problem) = check_local_request(&request, &policy.origins) {
        return HttpError::Forbidden(refusal_message(&exchange, problem)).into_response();
    }
    next.run(request).await
}

/// The vendor of a hook URL.
fn hook_provider(path: &str) -> Option<Provider> {
    match path.strip_prefix(HOOK_PATH_PREFIX)?.split('/').next() {
        Some("arcsite") => Some(Provider::Arcsite),
        Some("bidsketch") => Some(Provider::Bidsketch),
        Some(_) | None => None,
    }
}

/// Counts a refusal and returns its message for the client.
pub(super) fn refusal_message(exchange: &Exchange, problem: &'static str) -> String {
    exchange.note_refusal(("in open mode:", problem));
    format!(
        "{problem}; this service is in open mode: without a key (or, at a hook, a secret) it takes only requests sent \
         directly from its own machine, to localhost or a loopback address"
    )
}

/// Checks that a request was sent directly from this machine, and not by a page of another site.
pub(super) fn check_local_request(request: &Request, origins: &AllowedOrigins) -> Result<(), &'static str> {
    check_local_parts(request.version(), request.uri(), request.headers(), origins)
}

/// The same check, on the parts of a request.
pub(super) fn check_local_parts(
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
    origins: &AllowedOrigins,
) -> Result<(), &'static str> {
    // Some proxies send the service's own address as the host and add no header. They can be
    // recognised by HTTP/1.0.
    if version < Version::HTTP_11 {
        return Err("the request uses HTTP/1.0, as proxies do");
    }
    if headers.keys().any(|name| PROXY_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-")) {
        return Err("the request came through a proxy");
    }
    if has_proxy_connection(headers) {
        return Err("the header Connection is one that proxies write");
    }
    // Over HTTP/2, and in a request to a proxy, the URI names the host.
    let from_uri = uri.authority().map(|authority| authority.as_str());
    let from_header = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let mut hosts = from_uri.into_iter().chain(from_header).peekable();
    if hosts.peek().is_none() || !hosts.all(is_loopback) {
        return Err("the request is addressed to another host");
    }
    if !origins.allows(uri, headers) {
        return Err("the request was sent by a web page from another origin");
    }
    if !origins.allows_site(headers) {
        return Err("the request was sent by a web page from another site; enter the URL in the browser by hand");
    }
    Ok(())
}

/// Whether `Connection` was written by a proxy: it asks for an upgrade without naming one, has
/// options that only proxies use, or is written as nginx does.
fn has_proxy_connection(headers: &HeaderMap) -> bool {
    let values = || headers.get_all(header::CONNECTION).iter();
    let is_of_client = |value: &HeaderValue| {
        value.to_str().unwrap_or("?").split(',').map(|option| option.trim().to_ascii_lowercase()).all(|option| {
            match option.as_str() {
                "" => true,
                "upgrade" => headers.contains_key(header::UPGRADE),
                option => CLIENT_CONNECTION_OPTIONS.contains(&option),
            }
        })
    };
    // The map has the headers in the order in which they arrived.
    let place = |name| headers.keys().position(|other| other == name);
    let precedes_host =
        place(header::CONNECTION).zip(place(header::HOST)).is_some_and(|(connection, host)| connection < host);
    let is_of_nginx = || values().any(|value| NGINX_CONNECTION_VALUES.iter().any(|written| value == written));
    !values().all(is_of_client) || precedes_host && is_of_nginx()
}

/// Whether a host, with or without a port, is this machine. A user name before it is refused.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    !host.contains('@') && endpoint::is_loopback(authority.host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hook_path_names_its_provider() {
        for (path, provider) in [
            ("/webhooks/arcsite", Some(Provider::Arcsite)),
            ("/webhooks/arcsite/x", Some(Provider::Arcsite)),
            ("/webhooks/bidsketch", Some(Provider::Bidsketch)),
            ("/webhooks/bidsketch/x", Some(Provider::Bidsketch)),
            ("/webhooks/arcsites", None),
            ("/webhooks/", None),
            ("/webhooks", None),
            ("/graphql", None),
        ] {
            assert_eq!(hook_provider(path), provider, "{path}");
        }
    }

    #[test]
    fn host_loopback_is_accepted_others_are_not() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.8.9.10", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.nip.io:8080",
            "192.168.0.1",
            "[::]",
            "0.0.0.0",
            "a b",
            "user@localhost",
            "user:password@127.0.0.1:8080",
            "example.com@127.0.0.1",
            "@localhost",
            "127.0.0.1, example.com",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    /// Whether a request with these headers, in this order, shows a proxy by its `Connection`.
    fn shows_proxy(head: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in head {
            headers.append(*name, value.parse().unwrap());
        }
        has_proxy_connection(&headers)
    }

    #[test]
    fn connection_header_of_a_proxy_is_told_from_that_of_a_client() {
        let host = ("host", "127.0.0.1:8080");
        let upgrade = ("upgrade", "websocket");
        for proxied in [
            // nginx with a fixed value, without and with an upgrade; and with its documented map.
            &[("connection", "upgrade"), host][..],
            &[upgrade, ("connection", "upgrade"), host],
            &[("connection", "close"), host],
            &[host, ("connection", "Upgrade")],
            &[host, ("connection", "keep-alive, Upgrade")],
            &[host, ("connection", "x-user")],
            &[host, ("connection", "close, x-user")],
            &[host, ("connection", "keep-alive"), ("connection", "x-user")],
            &[host, ("connection", "\u{fc}")],
        ] {
            assert!(shows_proxy(proxied), "{proxied:?}");
        }
        for direct in [
            &[host][..],
            &[host, ("connection", "keep-alive")],
            &[("connection", "keep-alive"), host],
            // Python's urllib, Node's fetch and Node's WebSocket, Firefox, the library `ws`, curl.
            &[host, ("connection", "close")],
            &[host, ("connection", "upgrade"), upgrade],
            &[host, ("connection", "keep-alive, Upgrade"), upgrade],
            &[("connection", "Upgrade"), upgrade, host],
            &[host, ("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c")],
        ] {
            assert!(!shows_proxy(direct), "{direct:?}");
        }
    }
}
