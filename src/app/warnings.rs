//! Warnings of settings that are allowed and unsafe. Each names its setting.

use secrecy::ExposeSecret;
use url::Url;

use crate::config::Settings;
use crate::domain::endpoint::is_loopback;
use crate::shown_url::SecretUrl;

/// A signing secret of fewer bytes can be guessed from one signed delivery. ArcSite's own page may
/// let a user choose it, so a short one is not refused.
const SIGNING_SECRET_BYTES_MIN: usize = 16;

/// The warnings of these settings.
pub(super) fn warnings(settings: &Settings) -> Vec<String> {
    let mut warnings = Vec::new();
    let public_url = settings.server.public_url.as_ref().map(SecretUrl::expose).and_then(|url| url.parse::<Url>().ok());
    let is_plain = |url: &Url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback);
    if public_url.as_ref().is_some_and(is_plain) {
        warnings.push(
            "server.public_url is plain http: deliveries, secret hook URLs and keys can be read on their way; put a proxy \
             with TLS in front of the service and set an https URL"
                .to_owned(),
        );
        for origin in settings.server.allowed_origins.iter().filter(|origin| origin.starts_with("https://")) {
            warnings.push(format!(
                "server.allowed_origins has {origin}, but a browser lets no https page send requests to the plain http of \
                 server.public_url; the page cannot use the API"
            ));
        }
    }
    for (at, secret) in settings.arcsite.signing_secrets.iter().enumerate() {
        if secret.expose_secret().len() < SIGNING_SECRET_BYTES_MIN {
            warnings.push(format!(
                "arcsite.signing_secrets: secret {} has fewer than {SIGNING_SECRET_BYTES_MIN} characters and can be \
                 guessed; give the webhook a longer one at ArcSite",
                at + 1
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let mut settings = Settings::defaults().unwrap();
        change(&mut settings);
        warnings(&settings)
    }

    #[test]
    fn unsafe_setting_is_named() {
        assert_eq!(warned(|_| ()), [""; 0]);
        for url in ["http://hooks.example.com/x", "http://10.0.0.1:8080", "http://localhost.example.com"] {
            let warnings = warned(|settings| settings.server.public_url = Some(url.into()));
            assert!(warnings.len() == 1 && warnings[0].contains("server.public_url"), "{url}: {warnings:?}");
        }
        for url in ["https://hooks.example.com", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080"] {
            assert_eq!(warned(|settings| settings.server.public_url = Some(url.into())), [""; 0], "{url}");
        }
        let origins = |settings: &mut Settings, url: &str| {
            settings.server.public_url = Some(url.into());
            settings.server.allowed_origins =
                vec!["https://office.example".to_owned(), "http://lan.example".to_owned()];
        };
        assert_eq!(warned(|settings| origins(settings, "https://hooks.example.com")), [""; 0]);
        let mixed = warned(|settings| origins(settings, "http://hooks.example.com"));
        assert!(
            mixed.len() == 2 && mixed[1].contains("server.allowed_origins has https://office.example"),
            "{mixed:?}"
        );
        let short =
            warned(|settings| settings.arcsite.signing_secrets = vec!["a long secret text".into(), "hush".into()]);
        assert!(short.len() == 1 && short[0].contains("arcsite.signing_secrets: secret 2"), "{short:?}");
        assert!(!short[0].contains("hush"), "{short:?}");
    }
}
