//! The settings. `bidarc.example.toml` has the defaults; a file, the environment and flags override
//! them, in this order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use config::{Config, File, FileFormat};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

mod database_url;
mod environment;

pub use database_url::DatabaseUrl;

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
    pub database: Database,
    pub arcsite: Arcsite,
    pub bidsketch: Bidsketch,
    pub identity: Identity,
    pub graphql: Graphql,
    pub log: Log,
}

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Server {
    pub listen: SocketAddr,
    #[serde(deserialize_with = "deserialize_non_empty")]
    pub public_url: Option<String>,
    #[serde(deserialize_with = "deserialize_list")]
    pub allowed_origins: Vec<String>,
    pub shutdown_grace_seconds: u64,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Database {
    pub url: DatabaseUrl,
    pub readers: u32,
    pub wake_up: WakeUp,
    pub poll_milliseconds: u64,
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
}

/// `[bidsketch]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Bidsketch {
    #[serde(deserialize_with = "deserialize_secret")]
    pub path_token: Option<SecretString>,
    pub api_url: String,
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

/// `[graphql]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "bidarc.example.toml is the manual of the settings")]
pub struct Graphql {
    pub max_depth: usize,
    pub max_fields: usize,
    pub max_complexity: usize,
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

/// Why the settings cannot be used. The message names the setting and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A source cannot be read, or a setting is unknown or has the wrong type.
    #[error("{}", strip_excerpt(.0))]
    Invalid(#[from] config::ConfigError),
    /// A file named by a `…_FILE` variable cannot be read.
    #[error("cannot read {path}, the file that {variable} names: {cause}", path = path.display())]
    SecretFile {
        /// The environment variable.
        variable: String,
        /// The file.
        path: PathBuf,
        /// The error of reading it.
        cause: std::io::Error,
    },
    /// A setting has the right type and a value that is not allowed.
    #[error("{setting} {problem}")]
    InvalidValue {
        /// The setting.
        setting: &'static str,
        /// The value and what is allowed, as in "is 0; it must be 1 to 120".
        problem: String,
    },
}

impl Settings {
    /// Reads the settings from the defaults, `file` (or `bidarc.toml`, if it exists), `environment`
    /// and `flags`; the last one wins.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: Overrides,
    ) -> Result<Self, ConfigError> {
        let file = match file {
            Some(path) => File::from(path).format(FileFormat::Toml),
            None => File::from(Path::new(DEFAULT_FILE)).format(FileFormat::Toml).required(false),
        };
        let settings: Self = Config::builder()
            .add_source(File::from_str(DEFAULT_SETTINGS, FileFormat::Toml))
            .add_source(file)
            .add_source(environment::source(environment)?)
            .set_override_option("server.listen", flags.listen)?
            .set_override_option("database.url", flags.database_url)?
            .build()?
            .try_deserialize()?;
        settings.validate()?;
        Ok(settings)
    }

    /// The defaults alone. This fails only if `bidarc.example.toml` is wrong, which a test
    /// excludes.
    pub fn defaults() -> Result<Self, ConfigError> {
        Ok(Config::builder()
            .add_source(File::from_str(DEFAULT_SETTINGS, FileFormat::Toml))
            .build()?
            .try_deserialize()?)
    }

    /// Whether the settings allow open mode: `listen` is a loopback address, and no public URL is
    /// set.
    #[must_use]
    pub fn is_open_mode(&self, listen: SocketAddr) -> bool {
        listen.ip().to_canonical().is_loopback() && self.server.public_url.is_none()
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

    fn validate(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.server.public_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            let problem = format!("is {url:?}; it must begin with https:// or http://");
            return Err(ConfigError::InvalidValue { setting: "server.public_url", problem });
        }
        if !(1..=120).contains(&self.bidsketch.api_timeout_seconds) {
            let problem = format!("is {}; it must be 1 to 120", self.bidsketch.api_timeout_seconds);
            return Err(ConfigError::InvalidValue { setting: "bidsketch.api_timeout_seconds", problem });
        }
        if !(10..=60_000).contains(&self.database.poll_milliseconds) {
            let problem = format!("is {}; it must be 10 to 60000", self.database.poll_milliseconds);
            return Err(ConfigError::InvalidValue { setting: "database.poll_milliseconds", problem });
        }
        for origin in &self.server.allowed_origins {
            let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            let is_origin = authority.is_some_and(|authority| {
                let authority = authority.trim_end_matches('/');
                !authority.is_empty()
                    && authority.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b'*')
            });
            if !is_origin {
                let problem = format!(
                    "has {origin:?}; each must be an origin like https://office.example.com, without a path or wildcard"
                );
                return Err(ConfigError::InvalidValue { setting: "server.allowed_origins", problem });
            }
        }
        Ok(())
    }
}

/// The text of an error without its excerpt of the file, which may hold a secret.
fn strip_excerpt(error: &config::ConfigError) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains('|')).map(str::trim).collect();
    lines.join(": ")
}

fn deserialize_non_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn deserialize_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(deserialize_non_empty(deserializer)?.map(SecretString::from))
}

fn deserialize_secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
    Ok(deserialize_list(deserializer)?.into_iter().map(SecretString::from).collect())
}

/// A list, or one text with its items separated by commas or line ends, as in an environment
/// variable or a file.
fn deserialize_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        List(Vec<String>),
        Text(String),
    }
    let items = match Form::deserialize(deserializer)? {
        Form::List(items) => items,
        Form::Text(text) => text.split([',', '\n']).map(str::to_owned).collect(),
    };
    Ok(items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
}

#[cfg(test)]
mod tests;
