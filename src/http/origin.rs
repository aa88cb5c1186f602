//! Checks which web pages may use the API from a browser: the service's own, and those of
//! `server.allowed_origins`.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::sse::LAST_EVENT_ID;

/// The origins of `server.allowed_origins`.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(Arc<Vec<String>>);

impl AllowedOrigins {
    /// Takes the configured origins, without a slash at the end.
    #[must_use]
    pub fn new(origins: &[String]) -> Self {
        Self(Arc::new(origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect()))
    }

    /// Whether the origin of a request is allowed. A request without one was not sent by a web page
    /// of another site.
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        if self.0.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let authority =
            origin.parse::<Uri>().ok().and_then(|uri| uri.authority().map(|authority| authority.as_str().to_owned()));
        host.is_some() && authority.as_deref() == host
    }

    /// The CORS layer for the configured origins.
    pub(super) fn cors_layer(&self) -> CorsLayer {
        let origins = self.0.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, header::ACCEPT, LAST_EVENT_ID])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(configured: &[&str], origin: &str) -> bool {
        let origins: Vec<String> = configured.iter().map(|&origin| origin.to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8080"));
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        AllowedOrigins::new(&origins).allows(&headers)
    }

    #[test]
    fn origin_own_or_configured_is_allowed() {
        assert!(allowed(&[], "http://127.0.0.1:8080"));
        assert!(allowed(&["https://office.example/"], "https://office.example"));
        for origin in ["http://127.0.0.1:9090", "https://evil.example", "null", "http://127.0.0.1:8080.evil.example"] {
            assert!(!allowed(&["https://office.example"], origin), "{origin}");
        }
        assert!(AllowedOrigins::default().allows(&HeaderMap::new()));
    }
}
