//! The settings. `bidarc.example.toml` has the defaults; a file, the environment and flags override
//! them, in this order.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::Path;

use chrono::TimeDelta;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

mod check;
mod environment;
mod nearest;
mod problem;
mod source;
mod table;

use crate::shown_url::SecretUrl;
use check::Given;
pub use problem::{ConfigError, Problem};
pub use source::Source;
use source::{Entry, parse, read_file};
pub use table::{Kind, SETTINGS, Setting};

/// The file that holds every setting with its default.
pub const DEFAULT_SETTINGS: &str = include_str!("../bidarc.example.toml");
/// The file that is read if no other is named; it may be missing.
const DEFAULT_FILE: &str = "bidarc.toml";

/// All settings. `bidarc.example.toml` documents each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Settings {
    pub server: Server,
    pub service: Service,
    pub database: Database,
    pub arcsite: Arcsite,
    pub bidsketch: Bidsketch,
    pub identity: Identity,
    pub files: Files,
    pub graphql: Graphql,
    pub log: Log,
    /// The settings that a flag, a variable or a file gives, as text without secrets. This is not a
    /// setting.
    #[serde(skip)]
    pub given: Vec<String>,
}

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Server {
    pub listen: SocketAddr,
    #[serde(deserialize_with = "deserialize_url")]
    pub public_url: Option<SecretUrl>,
    pub allowed_origins: Vec<String>,
    pub shutdown_grace_seconds: u64,
    #[serde(deserialize_with = "deserialize_networks")]
    pub trusted_proxies: Vec<IpNet>,
    pub max_connections: usize,
    pub max_connections_per_peer: usize,
    pub max_streams: usize,
    pub max_streams_per_key: usize,
    pub max_operations_per_socket: usize,
    pub max_operations_per_key: usize,
    pub max_stream_bytes_per_key: usize,
    pub head_timeout_seconds: u64,
    pub body_timeout_seconds: u64,
    pub write_timeout_seconds: u64,
    pub idle_timeout_seconds: u64,
    pub body_budget_bytes: usize,
    pub max_failures_per_minute: NonZeroU32,
    pub session_days: u32,
}

/// `[service]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Service {
    #[serde(deserialize_with = "deserialize_non_empty")]
    pub name: Option<String>,
    pub time_zone: String,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Database {
    pub url: SecretUrl,
    pub readers: u32,
    pub wake_up: WakeUp,
    pub poll_milliseconds: u64,
    /// Whether a flag, a variable or a settings file names the database. This is not a setting.
    #[serde(skip)]
    pub is_named: bool,
}

/// How a node on PostgreSQL learns of commits by other nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WakeUp {
    /// By LISTEN and NOTIFY, over dedicated connections.
    Notify,
    /// By polling the head of the log.
    Poll,
}

/// `[arcsite]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Arcsite {
    #[serde(deserialize_with = "deserialize_secrets")]
    pub signing_secrets: Vec<SecretString>,
    #[serde(deserialize_with = "deserialize_secret")]
    pub path_token: Option<SecretString>,
    pub signature_max_age_hours: u32,
    pub signature_max_ahead_minutes: u32,
    #[serde(deserialize_with = "deserialize_non_empty")]
    pub currency: Option<String>,
}

/// `[bidsketch]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Bidsketch {
    #[serde(deserialize_with = "deserialize_secret")]
    pub path_token: Option<SecretString>,
    pub api_url: SecretUrl,
    #[serde(deserialize_with = "deserialize_secret")]
    pub api_token: Option<SecretString>,
    pub api_timeout_seconds: u64,
}

/// `[identity]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Identity {
    pub state_window_hours: u32,
    pub occurrence_window_seconds: u32,
}

/// `[files]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Files {
    #[serde(deserialize_with = "deserialize_non_empty")]
    pub store: Option<String>,
    pub allowed_hosts: Vec<String>,
    pub max_bytes: u64,
    pub max_total_bytes: u64,
    pub fetches: usize,
    #[serde(deserialize_with = "deserialize_url")]
    pub proxy: Option<SecretUrl>,
    pub keep_pdf_days: u32,
    pub keep_png_days: u32,
}

/// `[graphql]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Graphql {
    pub max_document_bytes: usize,
    pub max_tokens: usize,
    pub max_name_letters: usize,
    pub max_nesting: usize,
    pub max_depth: usize,
    pub max_fields: usize,
    pub max_fragments: usize,
    pub max_directives: usize,
    pub max_aliases: usize,
    pub max_root_fields: usize,
    pub max_arguments: usize,
    pub max_list_items: usize,
    pub max_value_bytes: usize,
    pub max_complexity: usize,
    pub max_rows: u64,
    pub max_response_bytes: u64,
    pub max_seconds: u64,
    pub introspection: Introspection,
}

/// Whether clients may read the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Introspection {
    /// They may.
    On,
    /// A document with `__schema` or `__type` is refused.
    Off,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// JSON for a log collector.
    Json,
}

/// The settings that command line flags override.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<String>,
    /// `--database-url`
    pub database_url: Option<String>,
}

impl Settings {
    /// Reads the settings from the defaults, `file` (or `bidarc.toml`, if it exists), `environment`
    /// and `flags`; the last one wins.
    ///
    /// # Errors
    ///
    /// Every fault in any source, also of a value that a later source overrides.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
        flags: Overrides,
    ) -> Result<Self, ConfigError> {
        let environment = environment.into_iter().map(|(variable, value)| (variable.into(), value.into()));
        let mut problems = Vec::new();
        let mut entries = read_file(file.unwrap_or(Path::new(DEFAULT_FILE)), file.is_some(), &mut problems);
        entries.extend(environment::read(environment, &mut problems));
        for (flag, name, value) in
            [("--listen", "server.listen", flags.listen), ("--database-url", "database.url", flags.database_url)]
        {
            let setting = SETTINGS.iter().find(|setting| setting.name == name);
            entries.extend(setting.zip(value).map(|(setting, value)| Entry {
                setting,
                given: Given::Text(value),
                source: Source::Flag(flag),
            }));
        }
        let given = shown_entries(&entries);
        let is_named = entries.iter().any(|entry| entry.setting.name == "database.url");
        let mut settings = Self::from_entries(default_entries(&mut problems).into_iter().chain(entries), problems)?;
        settings.database.is_named = is_named;
        settings.given = given;
        Ok(settings)
    }

    /// The defaults alone. This fails only if `bidarc.example.toml` is wrong, which a test
    /// excludes.
    pub fn defaults() -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        Self::from_entries(default_entries(&mut problems), problems)
    }

    /// Checks values. The last one of a setting wins.
    fn from_entries(entries: impl IntoIterator<Item = Entry>, mut problems: Vec<Problem>) -> Result<Self, ConfigError> {
        let mut sections = Map::new();
        for Entry { setting, given, source } in entries {
            match setting.kind.check(&given) {
                Ok(value) => {
                    let (section, key) = setting.section_and_key();
                    let section = sections.entry(section).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(keys) = section {
                        keys.insert(key.to_owned(), value);
                    }
                }
                Err(fault) => problems.push(Problem::InvalidValue {
                    at: source,
                    setting: setting.name,
                    given: given.show(&setting.kind, &fault),
                    allowed: setting.kind.allowed(),
                }),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError(problems));
        }
        serde_json::from_value(Value::Object(sections)).map_err(|error| ConfigError(vec![error.into()]))
    }

    /// Whether the settings allow open mode: `listen` is a loopback address, and no public URL is
    /// set.
    #[must_use]
    pub fn is_open_mode(&self, listen: SocketAddr) -> bool {
        listen.ip().to_canonical().is_loopback() && self.server.public_url.is_none()
    }

    /// How long a browser's session lasts at most.
    #[must_use]
    pub fn session_length(&self) -> TimeDelta {
        TimeDelta::days(self.server.session_days.into())
    }

    /// The dedup window of a state.
    #[must_use]
    pub fn state_window(&self) -> TimeDelta {
        TimeDelta::hours(self.identity.state_window_hours.into())
    }

    /// The dedup window of an occurrence.
    #[must_use]
    pub fn occurrence_window(&self) -> TimeDelta {
        TimeDelta::seconds(self.identity.occurrence_window_seconds.into())
    }
}

/// The values that were given, in the order of the table. The last one of a setting wins.
fn shown_entries(entries: &[Entry]) -> Vec<String> {
    let last = |setting: &Setting| entries.iter().rfind(|entry| entry.setting.name == setting.name);
    SETTINGS
        .iter()
        .filter_map(last)
        .map(|entry| format!("{} {}", entry.setting.name, entry.given.show_value(&entry.setting.kind)))
        .collect()
}

fn default_entries(problems: &mut Vec<Problem>) -> Vec<Entry> {
    parse(DEFAULT_SETTINGS, |_| Source::Defaults, problems)
}

fn deserialize_non_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok((!text.is_empty()).then_some(text))
}

fn deserialize_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretUrl>, D::Error> {
    Ok(deserialize_non_empty(deserializer)?.map(SecretUrl::from))
}

fn deserialize_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(deserialize_non_empty(deserializer)?.map(SecretString::from))
}

fn deserialize_secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
    Ok(Vec::<String>::deserialize(deserializer)?.into_iter().map(SecretString::from).collect())
}

fn deserialize_networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let parse = |text: String| {
        parse_network(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is neither an address nor a network")))
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(parse).collect()
}

/// Reads an address, or an address with a prefix length.
fn parse_network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

#[cfg(test)]
mod tests;
