//! An environment variable can set every setting of `bidarc.example.toml`, directly or by the path
//! of a file.

use bidarc::config::{DEFAULT_SETTINGS, Overrides, Settings};

/// The settings of the file: section, key and default in TOML syntax.
fn settings() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut section = "";
    let mut settings = Vec::new();
    for line in DEFAULT_SETTINGS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
        } else {
            let (key, value) = line.split_once(" = ").unwrap_or_else(|| panic!("{line:?} is not a setting"));
            settings.push((section, key, value));
        }
    }
    settings
}

/// A value other than the default, in the syntax of a variable.
fn non_default(section: &str, key: &str, default: &str) -> String {
    match (section, key) {
        ("server", "listen") => "127.0.0.1:7".to_owned(),
        ("server", "allowed_origins") => "https://other.example.com".to_owned(),
        ("log", "format") => "json".to_owned(),
        ("database", "wake_up") => "poll".to_owned(),
        _ if default.parse::<u64>().is_ok() => (default.parse::<u64>().unwrap() + 1).to_string(),
        _ => "https://other.example.com/1".to_owned(),
    }
}

fn load(name: &str, value: &str) -> Settings {
    Settings::load(None, [(name.to_owned(), value.to_owned())], Overrides::default())
        .unwrap_or_else(|error| panic!("{name}={value}: {error}"))
}

#[test]
fn every_setting_can_be_set_by_its_variable() {
    let defaults = format!("{:?}", Settings::defaults().unwrap());
    let settings = settings();
    assert!(settings.len() > 15, "{settings:?}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("value");
    for (section, key, default) in settings {
        let name = format!("BIDARC_{}__{}", section.to_uppercase(), key.to_uppercase());
        let value = non_default(section, key, default);
        let loaded = format!("{:?}", load(&name, &value));
        assert_ne!(loaded, defaults, "{name} changes nothing");
        if !loaded.contains(&value) && section != "log" {
            assert!(loaded.matches("REDACTED").count() > defaults.matches("REDACTED").count(), "{name}: {loaded}");
        }
        std::fs::write(&file, format!("{value}\n")).unwrap();
        let from_file = format!("{:?}", load(&format!("{name}_FILE"), file.to_str().unwrap()));
        assert_eq!(from_file, loaded, "{name}_FILE");
        // The default as a variable has the same effect as no variable.
        let as_default = match default {
            "[]" => "",
            text => text.trim_matches('"'),
        };
        assert_eq!(format!("{:?}", load(&name, as_default)), defaults, "{name}={as_default}");
    }
}

#[test]
fn invalid_number_is_reported_with_its_setting() {
    for (section, key, default) in settings() {
        if default.parse::<u64>().is_err() {
            continue;
        }
        let name = format!("BIDARC_{}__{}", section.to_uppercase(), key.to_uppercase());
        for value in ["many", "-1", ""] {
            let variable = [(name.clone(), value.to_owned())];
            let error = Settings::load(None, variable, Overrides::default()).unwrap_err().to_string();
            assert!(error.contains(key), "{name}={value}: {error}");
        }
    }
}

#[test]
fn list_in_a_variable_is_separated_by_commas() {
    let settings = load("BIDARC_SERVER__ALLOWED_ORIGINS", "https://a.example, https://b.example,,");
    assert_eq!(settings.server.allowed_origins, ["https://a.example", "https://b.example"]);
    let settings = load("BIDARC_ARCSITE__SIGNING_SECRETS", "0123,4567");
    assert_eq!(settings.arcsite.signing_secrets.len(), 2);
}
