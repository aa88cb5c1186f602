//! Open mode: a first try needs no keys and no secrets, so only this machine is let in. A request that came through a proxy,
//! names another host, or was sent by another site's page in a browser gets 403.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::HttpError;
use super::graphql;
use super::origin::AllowedOrigins;
use crate::domain::endpoint;

/// Whether the service is in open mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenMode(pub bool);

/// Headers that a proxy adds, besides everything that begins with `x-forwarded-`.
const PROXY_HEADERS: [&str; 3] = ["forwarded", "via", "x-real-ip"];

/// Lets only this machine in while the service is in open mode.
pub(super) async fn gate(
    State((open, origins)): State<(OpenMode, AllowedOrigins)>,
    request: Request,
    next: Next,
) -> Response {
    if open.0
        && let Err(problem) = from_this_machine(&request, &origins)
    {
        // The path of a hook may hold its secret.
        let path = request.uri().path();
        let (shown, is_graphql) = if path.starts_with("/webhooks/") {
            ("/webhooks/…", false)
        } else {
            (path, path.starts_with("/graphql"))
        };
        tracing::warn!(path = shown, "a request was refused in open mode: {problem}");
        let hint = "this service is in open mode: it needs no keys, and so takes only direct requests of its own machine, to \
                    a loopback address or localhost";
        let told = format!("{problem}; {hint}");
        return if is_graphql { graphql::forbidden(told) } else { HttpError::Forbidden(told).into_response() };
    }
    next.run(request).await
}

fn from_this_machine(request: &Request, origins: &AllowedOrigins) -> Result<(), &'static str> {
    // Some proxies name the service's own address as the host and add nothing; what gives them away is their old HTTP.
    if request.version() < Version::HTTP_11 {
        return Err("the request speaks HTTP/1.0, as proxies do");
    }
    let headers = request.headers();
    if headers.keys().any(|name| PROXY_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-")) {
        return Err("the request came through a proxy");
    }
    let host = request.uri().authority().map(|authority| authority.as_str()).or_else(|| host(headers));
    if !host.is_some_and(is_loopback) {
        return Err("the request names a host that is not this machine");
    }
    if !origins.allows(headers) {
        return Err("the request was sent by a web page of another origin");
    }
    Ok(())
}

fn host(headers: &HeaderMap) -> Option<&str> {
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
    fn only_names_of_this_machine() {
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
