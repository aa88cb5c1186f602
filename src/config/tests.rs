use secrecy::ExposeSecret;

use super::*;

fn load_with(environment: &[(&str, &str)], flags: Overrides) -> Result<Settings, ConfigError> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let empty = tempfile::NamedTempFile::new().unwrap();
    Settings::load(Some(empty.path()), environment, flags)
}

fn load(environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    load_with(environment, Overrides::default())
}

#[test]
fn example_file_holds_the_defaults() {
    let settings = Settings::defaults().unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.database.url.expose(), "sqlite://bidarc.db");
    assert!(settings.is_open_mode(settings.server.listen));
    assert!(settings.arcsite.signing_secrets.is_empty() && settings.bidsketch.path_token.is_none());
}

#[test]
fn flags_override_environment_and_environment_overrides_file() {
    let environment = [("BIDARC_SERVER__LISTEN", "127.0.0.1:1")];
    let flags = Overrides { listen: Some("127.0.0.1:2".to_owned()), database_url: None };
    assert_eq!(load(&environment).unwrap().server.listen.port(), 1);
    assert_eq!(load_with(&environment, flags).unwrap().server.listen.port(), 2);
}

#[test]
fn environment_values_keep_digits_and_split_at_commas() {
    let settings = load(&[
        ("BIDARC_ARCSITE__SIGNING_SECRETS", "007, 1e5,,true"),
        ("BIDARC_BIDSKETCH__PATH_TOKEN", "0042"),
        ("BIDARC_IDENTITY__STATE_WINDOW_HOURS", "12"),
        ("BIDARC_CONFIG", "ignored.toml"),
    ])
    .unwrap();
    let secrets: Vec<&str> = settings.arcsite.signing_secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["007", "1e5", "true"]);
    assert_eq!(settings.bidsketch.path_token.unwrap().expose_secret(), "0042");
    assert_eq!(settings.identity.state_window_hours, 12);
}

#[test]
fn secret_in_a_file_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "one\ntwo\n").unwrap();
    let settings = load(&[("BIDARC_ARCSITE__SIGNING_SECRETS_FILE", file.path().to_str().unwrap())]).unwrap();
    assert_eq!(settings.arcsite.signing_secrets.len(), 2);
    let error = load(&[("BIDARC_BIDSKETCH__PATH_TOKEN_FILE", "/nowhere")]).unwrap_err().to_string();
    assert!(error.contains("BIDARC_BIDSKETCH__PATH_TOKEN_FILE") && error.contains("/nowhere"), "{error}");
}

#[test]
fn setting_invalid_is_named_in_the_error() {
    let error = load(&[("BIDARC_SERVER__LISTN", "x")]).unwrap_err().to_string();
    assert!(error.contains("listn"), "{error}");
    let error = load(&[("BIDARC_SERVER__LISTEN", "nowhere")]).unwrap_err().to_string();
    assert!(error.contains("server.listen"), "{error}");
    let error = load(&[("BIDARC_SERVER__PUBLIC_URL", "hooks.example.com")]).unwrap_err().to_string();
    assert!(error.contains("server.public_url"), "{error}");
}

#[test]
fn open_mode_with_public_url_or_other_address_is_off() {
    let open = |environment| {
        let settings = load(environment).unwrap();
        settings.is_open_mode(settings.server.listen)
    };
    assert!(!open(&[("BIDARC_SERVER__PUBLIC_URL", "https://hooks.example.com")]));
    assert!(!open(&[("BIDARC_SERVER__LISTEN", "0.0.0.0:8080")]));
    assert!(open(&[("BIDARC_SERVER__LISTEN", "[::1]:8080")]));
    assert!(open(&[("BIDARC_SERVER__LISTEN", "[::ffff:127.0.0.1]:8080")]));
}

#[test]
fn settings_debug_output_hides_secrets() {
    let settings = load(&[("BIDARC_ARCSITE__SIGNING_SECRETS", "topsecret")]).unwrap();
    assert!(!format!("{settings:?}").contains("topsecret"));
}

#[test]
fn origin_with_path_or_wildcard_is_refused() {
    for origins in ["*", "office.example.com", "https://office.example.com/app", "https://*.example.com", "https://"] {
        let error = load(&[("BIDARC_SERVER__ALLOWED_ORIGINS", origins)]).unwrap_err().to_string();
        assert!(error.contains("server.allowed_origins"), "{error}");
    }
    let two = load(&[("BIDARC_SERVER__ALLOWED_ORIGINS", "https://office.example.com/,http://localhost:5173")]).unwrap();
    assert_eq!(two.server.allowed_origins.len(), 2);
}

#[test]
fn settings_file_broken_is_named_without_its_secrets() {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), "[bidsketch]\npath_token = \"supersecret\n").unwrap();
    let error = Settings::load(Some(file.path()), [], Overrides::default()).unwrap_err().to_string();
    assert!(!error.contains("supersecret") && error.contains("line 2"), "{error}");
    assert!(error.contains(file.path().file_name().unwrap().to_str().unwrap()), "{error}");
}
