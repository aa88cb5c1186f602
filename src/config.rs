//! The settings: `bidarc.example.toml` for the defaults, then a file, then the environment, then flags.

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
/// The file that is read where none is named, if it is there.
const DEFAULT_FILE: &str = "bidarc.toml";

/// Every setting; `bidarc.example.toml` tells what each is for.
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

/// How a node learns on PostgreSQL that another has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WakeUp {
    /// By LISTEN and NOTIFY, over a connection of its own.
    Notify,
    /// By looking again and again.
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

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For a log collector.
    Json,
}

/// What flags say.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<String>,
    /// `--database-url`
    pub database_url: Option<String>,
}

/// Why the settings cannot be used: names the setting, where it came from, and what is expected.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A source cannot be read, or a setting is unknown or of the wrong form.
    #[error("{}", strip_excerpt(.0))]
    Invalid(#[from] config::ConfigError),
    /// A file with a secret cannot be read.
    #[error("{variable} names {path}, which cannot be read: {cause}", path = path.display())]
    SecretFile {
        /// The environment variable.
        variable: String,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        cause: std::io::Error,
    },
    /// A setting's value makes no sense.
    #[error("{setting}: {problem}")]
    InvalidValue {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Settings {
    /// Reads the settings: defaults, then the file (`bidarc.toml` if it is there, or the one named), then `environment`,
    /// then flags.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting at fault.
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

    /// The defaults alone.
    ///
    /// # Errors
    ///
    /// Never, as long as `bidarc.example.toml` is right (a test reads it).
    pub fn defaults() -> Result<Self, ConfigError> {
        Ok(Config::builder()
            .add_source(File::from_str(DEFAULT_SETTINGS, FileFormat::Toml))
            .build()?
            .try_deserialize()?)
    }

    /// Whether a first try needs no set-up: listening on a loopback address, and without a public URL.
    #[must_use]
    pub fn is_open_mode(&self, listen: SocketAddr) -> bool {
        listen.ip().to_canonical().is_loopback() && self.server.public_url.is_none()
    }

    /// How long an equal delivery of a state is a redelivery.
    #[must_use]
    pub fn state_window(&self) -> TimeDelta {
        TimeDelta::hours(self.identity.state_window_hours.into())
    }

    /// How long an equal delivery of an occurrence is a redelivery.
    #[must_use]
    pub fn occurrence_window(&self) -> TimeDelta {
        TimeDelta::seconds(self.identity.occurrence_window_seconds.into())
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.server.public_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            let problem = format!("must begin with https:// (or http://), it is {url:?}");
            return Err(ConfigError::InvalidValue { setting: "server.public_url", problem });
        }
        if !(1..=120).contains(&self.bidsketch.api_timeout_seconds) {
            let problem = format!("must be 1 to 120, it is {}", self.bidsketch.api_timeout_seconds);
            return Err(ConfigError::InvalidValue { setting: "bidsketch.api_timeout_seconds", problem });
        }
        if !(10..=60_000).contains(&self.database.poll_milliseconds) {
            let problem = format!("must be 10 to 60000, it is {}", self.database.poll_milliseconds);
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
                    "must be origins like https://office.example.com, without a path or wildcard, not {origin:?}"
                );
                return Err(ConfigError::InvalidValue { setting: "server.allowed_origins", problem });
            }
        }
        Ok(())
    }
}

/// An error's text without the lines of the file that it shows: one of them may hold a secret.
fn strip_excerpt(error: &config::ConfigError) -> String {
    let text = error.to_string();
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains('|')).map(str::trim).collect();
    kept.join(": ")
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

/// A list, or one text that separates it by commas, as an environment variable must.
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
