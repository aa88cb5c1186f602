//! The service that hooks are sent to.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use thiserror::Error;

use crate::hook::Vendor;

/// Why a URL cannot be a target.
#[derive(Debug, Error)]
pub enum TargetError {
    /// It is not a URL with a host.
    #[error("`{0}` is not a URL such as http://127.0.0.1:8080")]
    NotAUrl(String),
    /// It is not http. TLS belongs to the proxy in front of the service, which is not simulated.
    #[error("the simulator supports only plain http, not `{0}`")]
    NotHttp(String),
}

/// A running bidarc: its address, and the secrets of its hook URLs and signatures.
#[derive(Clone)]
pub struct Target {
    base: Url,
    arcsite_secret: Option<String>,
    arcsite_token: Option<String>,
    bidsketch_token: Option<String>,
}

impl Target {
    /// Creates a target without secrets and path tokens. `base` may have a path, which then begins
    /// every hook URL.
    pub fn new(base: &str) -> Result<Target, TargetError> {
        let base: Url = base.parse().map_err(|_| TargetError::NotAUrl(base.to_owned()))?;
        if base.scheme() != "http" {
            return Err(TargetError::NotHttp(base.scheme().to_owned()));
        }
        Ok(Target { base, arcsite_secret: None, arcsite_token: None, bidsketch_token: None })
    }

    /// Signs ArcSite's hooks with this secret.
    #[must_use]
    pub fn with_arcsite_secret(mut self, secret: impl Into<String>) -> Target {
        self.arcsite_secret = Some(secret.into());
        self
    }

    /// Sends ArcSite's hooks to `/webhooks/arcsite/{token}`.
    #[must_use]
    pub fn with_arcsite_token(mut self, token: impl Into<String>) -> Target {
        self.arcsite_token = Some(token.into());
        self
    }

    /// Sends Bidsketch's hooks to `/webhooks/bidsketch/{token}`.
    #[must_use]
    pub fn with_bidsketch_token(mut self, token: impl Into<String>) -> Target {
        self.bidsketch_token = Some(token.into());
        self
    }

    /// The hook URL of a vendor. It may hold a secret token: show [`Target::shown_url`] to people
    /// instead.
    pub fn url(&self, vendor: Vendor) -> Url {
        self.route(vendor, self.token(vendor))
    }

    /// The hook URL with its token hidden.
    pub fn shown_url(&self, vendor: Vendor) -> String {
        let hidden = self.token(vendor).map(|_| "…");
        // No other character of the URL can be encoded like this.
        self.route(vendor, hidden).to_string().replace("%E2%80%A6", "…")
    }

    /// The secret that ArcSite signs with, if there is one.
    pub fn arcsite_secret(&self) -> Option<&str> {
        self.arcsite_secret.as_deref()
    }

    /// The service's address.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Whether the service is on this machine: a loopback address or `localhost`.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    fn token(&self, vendor: Vendor) -> Option<&str> {
        match vendor {
            Vendor::Arcsite => self.arcsite_token.as_deref(),
            Vendor::Bidsketch => self.bidsketch_token.as_deref(),
        }
    }

    fn route(&self, vendor: Vendor, token: Option<&str>) -> Url {
        let mut url = self.base.clone();
        // An http URL always has segments. Pushing escapes the token, so it cannot change the path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["webhooks", &vendor.to_string()]).extend(token);
        }
        url
    }
}

/// Whether a URL names this machine: a loopback address or `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Hides the secrets, since a target appears in logs and in messages of failed tests.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("arcsite", &self.shown_url(Vendor::Arcsite))
            .field("bidsketch", &self.shown_url(Vendor::Bidsketch))
            .field("arcsite_signed", &self.arcsite_secret.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hook_url_follows_the_service_routes() {
        let open = Target::new("http://127.0.0.1:8080").unwrap();
        assert_eq!(open.url(Vendor::Arcsite).as_str(), "http://127.0.0.1:8080/webhooks/arcsite");
        let closed =
            Target::new("http://localhost:9/base/").unwrap().with_arcsite_token("a/b").with_bidsketch_token("tok");
        assert_eq!(closed.url(Vendor::Arcsite).as_str(), "http://localhost:9/base/webhooks/arcsite/a%2Fb");
        assert_eq!(closed.url(Vendor::Bidsketch).as_str(), "http://localhost:9/base/webhooks/bidsketch/tok");
        assert_eq!(closed.shown_url(Vendor::Bidsketch), "http://localhost:9/base/webhooks/bidsketch/…");
    }

    #[test]
    fn target_debug_output_hides_secrets() {
        let target = Target::new("http://localhost").unwrap();
        let target = target.with_arcsite_secret("hush1").with_arcsite_token("hush2").with_bidsketch_token("hush3");
        assert!(!format!("{target:?}").contains("hush"));
    }

    #[test]
    fn only_loopback_addresses_are_loopback() {
        let is_loopback = |base| Target::new(base).unwrap().is_loopback();
        for base in ["http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:80", "http://LOCALHOST:1"] {
            assert!(is_loopback(base), "{base}");
        }
        for base in [
            "http://10.0.0.1",
            "http://[::2]",
            "http://localhost.example",
            "http://0.0.0.0",
            "http://127.0.0.1.example",
        ] {
            assert!(!is_loopback(base), "{base}");
        }
    }

    #[test]
    fn url_that_is_not_http_is_refused() {
        assert!(matches!(Target::new("https://127.0.0.1"), Err(TargetError::NotHttp(_))));
        assert!(matches!(Target::new("127.0.0.1:8080"), Err(TargetError::NotAUrl(_))));
        assert!(matches!(Target::new("localhost:8080"), Err(TargetError::NotHttp(_))));
    }
}
