//! Open mode: a first try needs no keys and no secrets, so only this machine is served. A request
//! that came through a proxy, is addressed to another host, or was sent by another site's page in a
//! browser gets 403.
//!
//! While there is no key, this applies to every route except the health pages. Once there is a key,
//! it applies to the hooks of a vendor without a secret. A request with a key and a delivery with
//! proof may come through a proxy.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::HttpError;
use super::hooks::HOOK_PATH_PREFIX;
use super::origin::AllowedOrigins;
use crate::auth::Keys;
use crate::domain::{Provider, endpoint};
use crate::ingest::Ingest;

/// Decides whether the API is open, and to which web pages.
#[derive(Clone)]
pub(super) struct AccessPolicy {
    pub(super) keys: Keys,
    pub(super) origins: AllowedOrigins,
}

/// Headers that a proxy adds, besides all that begin with `x-forwarded-`.
const PROXY_HEADERS: [&str; 3] = ["forwarded", "via", "x-real-ip"];

/// Restricts open hooks to this machine, and every other route as well while there is no key.
pub(super) async fn restrict_open_mode(
    State((policy, ingest)): State<(AccessPolicy, Arc<Ingest>)>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let hook = hook_provider(path);
    let is_open = policy.keys.is_open_mode() || hook.is_some_and(|provider| ingest.verifier.is_open(provider));
    if is_open && let Err(problem) = check_local_request(&request, &policy.origins) {
        // The path of a hook may hold a secret.
        let shown_path = if path.starts_with(HOOK_PATH_PREFIX) { "/webhooks/…" } else { path };
        return HttpError::Forbidden(refusal_message(shown_path, problem)).into_response();
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

/// Logs a refusal and returns its message for the client.
pub(super) fn refusal_message(path: &str, problem: &str) -> String {
    tracing::warn!(path, "a request was refused in open mode: {problem}");
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
    let host = uri.authority().map(|authority| authority.as_str()).or_else(|| host_header(headers));
    if !host.is_some_and(is_loopback) {
        return Err("the request is addressed to another host");
    }
    if !origins.allows(uri, headers) {
        return Err("the request was sent by a web page from another origin");
    }
    Ok(())
}

fn host_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|host| host.to_str().ok())
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    endpoint::is_loopback(authority.host())
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
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
