//! Open mode: a first try needs no keys and no secrets, so only this machine is let in. A request that came through a proxy,
//! names another host, or was sent by another site's page in a browser gets 403.
//!
//! While there is no key, that holds for everything. Once there is one, it holds for what is still open: the hooks of a vendor
//! that has no secret. Whoever brings a key, or proves a delivery, may come through a proxy.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::HttpError;
use super::origin::AllowedOrigins;
use crate::auth::Keys;
use crate::domain::{Provider, endpoint};
use crate::ingest::Ingest;

/// What tells whether the API is open, and to whom.
#[derive(Clone)]
pub(super) struct AccessPolicy {
    pub(super) keys: Keys,
    pub(super) origins: AllowedOrigins,
}

/// What the hook URLs begin with.
const HOOK_PATH_PREFIX: &str = "/webhooks/";

/// Headers that a proxy adds, besides everything that begins with `x-forwarded-`.
const PROXY_HEADERS: [&str; 3] = ["forwarded", "via", "x-real-ip"];

/// Lets only this machine in to hooks that are open, and while there is no key to anything else.
pub(super) async fn restrict_open_mode(
    State((open, ingest)): State<(AccessPolicy, Arc<Ingest>)>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let hook = hook_provider(path);
    let is_open = open.keys.is_open_mode() || hook.is_some_and(|provider| ingest.verifier.is_open(provider));
    if is_open && let Err(problem) = check_local_request(&request, &open.origins) {
        // The path of a hook may hold its secret.
        let shown = if path.starts_with(HOOK_PATH_PREFIX) { "/webhooks/…" } else { path };
        return HttpError::Forbidden(refusal_message(shown, problem)).into_response();
    }
    next.run(request).await
}

/// Whose hook URL a path is.
fn hook_provider(path: &str) -> Option<Provider> {
    match path.strip_prefix(HOOK_PATH_PREFIX)?.split('/').next() {
        Some("arcsite") => Some(Provider::Arcsite),
        Some("bidsketch") => Some(Provider::Bidsketch),
        Some(_) | None => None,
    }
}

/// What a request is told that is not let in; the log is told as well.
pub(super) fn refusal_message(path: &str, problem: &str) -> String {
    tracing::warn!(path, "a request was refused in open mode: {problem}");
    format!(
        "{problem}; this service is in open mode: it needs no keys, and so takes only direct requests of its own machine, to \
         a loopback address or localhost"
    )
}

/// Whether a request was sent directly, from this machine, and by no other site's page.
pub(super) fn check_local_request(request: &Request, origins: &AllowedOrigins) -> Result<(), &'static str> {
    check_local_parts(request.version(), request.uri(), request.headers(), origins)
}

/// The same, of the parts of a request.
pub(super) fn check_local_parts(
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
    origins: &AllowedOrigins,
) -> Result<(), &'static str> {
    // Some proxies name the service's own address as the host and add nothing; what gives them away is their old HTTP.
    if version < Version::HTTP_11 {
        return Err("the request speaks HTTP/1.0, as proxies do");
    }
    if headers.keys().any(|name| PROXY_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-")) {
        return Err("the request came through a proxy");
    }
    let host = uri.authority().map(|authority| authority.as_str()).or_else(|| host_header(headers));
    if !host.is_some_and(is_loopback) {
        return Err("the request names a host that is not this machine");
    }
    if !origins.allows(headers) {
        return Err("the request was sent by a web page of another origin");
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
