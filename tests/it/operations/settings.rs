//! An environment variable can set every setting of `bidarc.example.toml`, directly or by the path
//! of a file.

use bidarc::config::{DEFAULT_SETTINGS, Overrides, SETTINGS, Settings};

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
        ("server", "trusted_proxies") => "10.0.0.0/8".to_owned(),
        ("log", "format") => "json".to_owned(),
        ("graphql", "introspection") => "off".to_owned(),
        ("log", "filter") => "warn".to_owned(),
        ("database", "url") => "sqlite://other.db".to_owned(),
        ("files", "store") => "s3://other".to_owned(),
        ("files", "allowed_hosts") => "other.example.com".to_owned(),
        (_, "path_token" | "api_token" | "signing_secrets") => "other-secret-123".to_owned(),
        ("database", "wake_up") => "poll".to_owned(),
        ("arcsite", "currency") => "EUR".to_owned(),
        ("service", "time_zone") => "Europe/Berlin".to_owned(),
        _ if default.parse::<u64>().is_ok() => (default.parse::<u64>().unwrap() + 1).to_string(),
        _ => "https://other.example.com/1".to_owned(),
    }
}

fn load(name: &str, value: &str) -> Settings {
    let mut loaded = Settings::load(None, [(name.to_owned(), value.to_owned())], Overrides::default())
        .unwrap_or_else(|error| panic!("{name}={value}: {error}"));
    // It repeats the value as it was given.
    loaded.given.clear();
    loaded
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
        if !loaded.contains(&value) && section != "log" && key != "introspection" {
            assert!(loaded.matches("REDACTED").count() > defaults.matches("REDACTED").count(), "{name}: {loaded}");
        }
        std::fs::write(&file, format!("{value}\n")).unwrap();
        let from_file = format!("{:?}", load(&format!("{name}_FILE"), file.to_str().unwrap()));
        assert_eq!(from_file, loaded, "{name}_FILE");
        // The default as a variable has the same effect as no variable.
        let as_default = match default {
            "[]" => String::new(),
            text => text.replace(['"', '[', ']'], ""),
        };
        let as_default = format!("{:?}", load(&name, &as_default)).replace("is_named: true", "is_named: false");
        assert_eq!(as_default, defaults, "{name}");
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

/// docs/LIMITS.md has every limit of a document with its default and reason, and the constants.
#[test]
fn limits_page_shows_the_settings_and_constants_of_the_code() {
    let page = include_str!("../../../docs/LIMITS.md");
    let defaults = settings();
    let limits = SETTINGS.iter().filter(|setting| setting.name.starts_with("graphql."));
    let rows: Vec<String> = limits
        .map(|setting| {
            let key = setting.section_and_key();
            let default = defaults.iter().find(|(section, name, _)| (*section, *name) == key).unwrap().2;
            format!("| `{}` | {} | {} |", setting.name, default.trim_matches('"'), setting.reason)
        })
        .collect();
    let shown: Vec<&str> = page.lines().filter(|line| line.starts_with("| `graphql.")).collect();
    assert_eq!(shown, rows, "docs/LIMITS.md must have these rows:\n{}", rows.join("\n"));
    let mut constants = 0;
    for row in page.lines().filter(|line| line.contains("` in `src/")) {
        let [_, _, value, place, ..] = row.split(" | ").flat_map(|cell| cell.split("| ")).collect::<Vec<_>>()[..]
        else {
            panic!("{row}");
        };
        let [name, file] = place.split("` in `").map(|text| text.trim_matches('`')).collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let source = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let is_defined = source.lines().any(|line| {
            let line = line.trim();
            line.contains(&format!("const {name}: ")) && line.ends_with(&format!(" = {value};"))
        });
        assert!(is_defined, "{file} has no constant {name} of {value}");
        constants += 1;
    }
    assert_eq!(constants, 22);
}

/// docs/SETTINGS.md shows the table of the code, row by row.
#[test]
fn settings_page_shows_the_table_of_the_code() {
    let page = include_str!("../../../docs/SETTINGS.md");
    let defaults = settings();
    let rows: Vec<String> = SETTINGS
        .iter()
        .map(|setting| {
            let (section, key) = setting.section_and_key();
            let default = defaults.iter().find(|(s, k, _)| (*s, *k) == (section, key)).unwrap().2;
            let default = match default.trim_matches('"') {
                "" | "[]" => "none".to_owned(),
                list if list.starts_with('[') => format!("`{}`", list.replace(['"', '[', ']'], "")),
                default => format!("`{default}`"),
            };
            format!(
                "| `{}` | `{}` | {default} | {} | {} |",
                setting.name,
                setting.variable(),
                setting.kind.allowed().replace('<', "&lt;"),
                setting.reason
            )
        })
        .collect();
    let shown: Vec<&str> = page.lines().filter(|line| line.contains("`BIDARC_") && line.starts_with("| `")).collect();
    assert_eq!(shown, rows, "docs/SETTINGS.md must have these rows:\n{}", rows.join("\n"));
}
