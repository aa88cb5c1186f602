//! Checks a value by the kind of its setting, and brings it to the one form that
//! [`Settings`](super::Settings) is read from.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use jiff::tz::TimeZone;
use serde_json::Value;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::parse_network;
use super::table::{Kind, LABEL_CHARS_MAX};
use crate::shown_url::shown_url;

/// The least length of a path token, in bytes, and how many of them must differ. A text of random
/// hexadecimal digits of this length has 64 random bits.
const PATH_TOKEN_BYTES_MIN: usize = 16;
const PATH_TOKEN_DISTINCT_MIN: usize = 6;

/// The kinds of object stores.
const OBJECT_STORE_SCHEMES: [&str; 3] = ["s3", "gs", "az"];

/// A value as a source gives it.
#[derive(Debug)]
pub(super) enum Given {
    /// A text. Every value of the environment and of flags is one.
    Text(String),
    /// A number without a fraction.
    Integer(i128),
    /// A list.
    List(Vec<Self>),
    /// A value that no setting takes, such as `true`.
    Other(String),
}

/// What is wrong with a value, as the rest of "is <value>, which …", if the allowed values do not
/// say it.
#[derive(Debug, Default)]
pub(super) struct Fault(Option<&'static str>);

const fn fault<T>(text: &'static str) -> Result<T, Fault> {
    Err(Fault(Some(text)))
}

impl Given {
    /// The value and its fault as a message shows them, without secrets.
    pub(super) fn show(&self, kind: &Kind, fault: &Fault) -> String {
        let fault = fault.0.map(|fault| format!(", which {fault}")).unwrap_or_default();
        format!("{}{fault}", self.show_value(kind))
    }

    /// The value as the rest of "<setting> is <value>", without secrets.
    pub(super) fn show_value(&self, kind: &Kind) -> String {
        let shown =
            if kind.is_secret() { "set to a value that is not shown".to_owned() } else { self.show_plain(kind) };
        format!("is {shown}")
    }

    fn show_plain(&self, kind: &Kind) -> String {
        match self {
            Self::Text(text) if text.trim().is_empty() => "empty".to_owned(),
            Self::Text(text) if matches!(kind, Kind::DatabaseUrl) => shown_url(text),
            Self::Text(text) if text.contains("://") => shown_url(text),
            // Before an @ there may be a password.
            Self::Text(text) if text.contains('@') => "a text with an @ (not shown)".to_owned(),
            Self::Text(text) => format!("{text:?}"),
            Self::Integer(number) => number.to_string(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(|item| item.show_plain(kind)).collect::<Vec<_>>().join(", "))
            }
            Self::Other(shown) => shown.clone(),
        }
    }

    fn text(&self) -> Result<&str, Fault> {
        match self {
            Self::Text(text) => Ok(text.trim()),
            Self::Integer(_) | Self::List(_) | Self::Other(_) => fault("is not a text in quotes"),
        }
    }

    /// The items of a list. One text holds items that are separated by commas or line ends, as in a
    /// variable or a file.
    fn items(&self) -> Result<Vec<&str>, Fault> {
        let items: Vec<&str> = match self {
            Self::Text(text) => {
                text.lines().filter(|line| !line.trim().is_empty()).flat_map(|line| line.split(',')).collect()
            }
            Self::List(items) => items.iter().map(Self::text).collect::<Result<_, _>>()?,
            Self::Integer(_) | Self::Other(_) => return fault("is not a list of texts in quotes"),
        };
        let items: Vec<&str> = items.into_iter().map(str::trim).collect();
        if items.contains(&"") { fault("has an empty item") } else { Ok(items) }
    }
}

impl Kind {
    /// Checks a value. Returns it as the settings are read from it.
    pub(super) fn check(&self, given: &Given) -> Result<Value, Fault> {
        match self {
            Self::Address => {
                let text = given.text()?;
                text.parse::<SocketAddr>().map(|_| text.into()).map_err(|_| Fault::default())
            }
            Self::Url { is_optional, .. } => check_url(given.text()?, *is_optional),
            Self::DatabaseUrl => check_database_url(given.text()?),
            Self::Origins => {
                let origins = given.items()?.into_iter().map(check_origin).collect::<Result<Vec<_>, _>>()?;
                Ok(origins.into())
            }
            Self::FileStore => check_file_store(given.text()?),
            Self::Hosts => {
                let hosts = given.items()?.into_iter().map(check_host).collect::<Result<Vec<_>, _>>()?;
                Ok(hosts.into())
            }
            Self::Networks => {
                let networks = given.items()?;
                let is_valid = networks.iter().all(|network| parse_network(network).is_some());
                if is_valid { Ok(networks.into()) } else { Err(Fault::default()) }
            }
            Self::Number { min, max, .. } => check_number(given, *min, *max),
            Self::Word(words) => {
                let text = given.text()?;
                words.iter().find(|&&word| word == text).map(|&word| word.into()).ok_or(Fault::default())
            }
            Self::Currency => {
                let text = given.text()?;
                let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
                if is_code || text.is_empty() { Ok(text.into()) } else { Err(Fault::default()) }
            }
            Self::Label => {
                let text = given.text()?;
                let fits = text.chars().count() <= LABEL_CHARS_MAX && !text.contains(char::is_control);
                if fits { Ok(text.into()) } else { Err(Fault::default()) }
            }
            Self::TimeZone => check_time_zone(given.text()?),
            Self::LogFilter => check_log_filter(given.text()?),
            Self::PathToken => check_path_token(given.text()?),
            Self::HeaderToken => {
                let text = given.text()?;
                let is_allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
                if text.bytes().all(is_allowed) { Ok(text.into()) } else { fault("has another character") }
            }
            Self::Secrets => {
                let items = given.items()?;
                if items.iter().any(|item| item.contains(char::is_control)) {
                    return fault("has a control character");
                }
                Ok(items.into())
            }
        }
    }
}

fn check_number(given: &Given, min: u64, max: u64) -> Result<Value, Fault> {
    let number = match given {
        Given::Integer(number) => u64::try_from(*number).map_err(|_| Fault::default())?,
        Given::Text(text) => parse_number(text.trim())?,
        Given::List(_) | Given::Other(_) => return Err(Fault::default()),
    };
    if (min..=max).contains(&number) { Ok(number.into()) } else { Err(Fault::default()) }
}

/// Reads a number as TOML writes it: digits, with underscores between them.
fn parse_number(text: &str) -> Result<u64, Fault> {
    let has_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !text.split('_').all(has_digits) {
        return Err(Fault::default());
    }
    text.replace('_', "").parse().map_err(|_| Fault::default())
}

fn check_url(text: &str, is_optional: bool) -> Result<Value, Fault> {
    if text.is_empty() && is_optional {
        return Ok("".into());
    }
    let url = parse_web_url(text)?;
    if url.query().is_some() {
        return fault("has a query");
    }
    // Paths are appended to it.
    Ok(text.trim_end_matches('/').into())
}

/// The origin as browsers send it: lower case, without a default port.
fn check_origin(text: &str) -> Result<String, Fault> {
    let url = parse_web_url(text)?;
    if url.query().is_some() || url.path() != "/" {
        return fault("has a path or a query");
    }
    // No page has such an origin.
    if url.port() == Some(0)
        || url.host_str().is_some_and(|host| host.trim_end_matches('.').split('.').any(str::is_empty))
    {
        return fault("has port 0 or a host with an empty part");
    }
    Ok(url.origin().ascii_serialization())
}

/// An http or https URL without user name, password or fragment.
fn parse_web_url(text: &str) -> Result<Url, Fault> {
    let has_scheme = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    if !has_scheme {
        return fault("does not begin with https:// or http://");
    }
    // The parser would drop or replace such characters.
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '*')) {
        return fault("has a space, a backslash or an asterisk");
    }
    let url: Url = text.parse().map_err(|_| Fault(Some("is not a URL with a host")))?;
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return fault("has a user name or a password");
    }
    if url.fragment().is_some() {
        return fault("has a fragment");
    }
    Ok(url)
}

fn check_file_store(text: &str) -> Result<Value, Fault> {
    if text.contains(char::is_control) {
        return fault("has a control character");
    }
    let Some((scheme, _)) = text.split_once("://") else { return Ok(text.into()) };
    if !OBJECT_STORE_SCHEMES.contains(&scheme) {
        return fault("is of no known kind");
    }
    let url: Url = text.parse().map_err(|_| Fault(Some("is not a URL with a bucket")))?;
    if url.host_str().is_none_or(str::is_empty) {
        return fault("names no bucket");
    }
    if text.contains(['@', '?', '#']) {
        return fault("has a user name, a query or a fragment");
    }
    Ok(text.trim_end_matches('/').into())
}

/// A host name, or `*.` and the name that it must end with.
fn check_host(text: &str) -> Result<String, Fault> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if !name.split('.').all(is_label) {
        return fault("has another character, or an empty part");
    }
    if text != name && !name.contains('.') {
        return fault("allows a whole top-level domain");
    }
    Ok(text.to_ascii_lowercase())
}

fn check_database_url(text: &str) -> Result<Value, Fault> {
    let path = text.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
    let host = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    match (path, host) {
        (Some(path), _) if path.is_empty() || path.starts_with('?') => fault("has no path"),
        (None, None) => fault("is of no known kind"),
        (Some(_), _) | (None, Some(_)) => Ok(text.into()),
    }
}

/// The zone's name as the database of time zones spells it.
fn check_time_zone(text: &str) -> Result<Value, Fault> {
    let zone = TimeZone::get(text).map_err(|_| Fault(Some("is no name of the time zone database")))?;
    zone.iana_name().map(Into::into).ok_or(Fault::default())
}

/// Checks each directive: a level, or `target=level`. The library takes any other word for the name
/// of a module of which everything is logged, and then logs nothing else.
fn check_log_filter(text: &str) -> Result<Value, Fault> {
    let is_level = |word: &str| {
        ["error", "warn", "info", "debug", "trace", "off"].iter().any(|level| level.eq_ignore_ascii_case(word))
    };
    let directives: Vec<&str> = text.split(',').map(str::trim).collect();
    let mut covers_bidarc = false;
    for directive in &directives {
        let (target, level) =
            directive.rsplit_once('=').map_or((None, *directive), |(target, level)| (Some(target), level));
        if !is_level(level) || target == Some("") {
            return fault(match target {
                None => "has a word that is not a level",
                Some(_) => "has a module without a level, or a level without a module",
            });
        }
        covers_bidarc |= target.is_none_or(|target| target == "bidarc");
    }
    if !covers_bidarc {
        return fault("has no level for all modules, so that most warnings would be lost");
    }
    let filter = directives.join(",");
    if EnvFilter::try_new(&filter).is_err() {
        return fault("cannot be read");
    }
    Ok(filter.into())
}

/// The characters are those that a URL carries unchanged (RFC 3986, 2.3). The segments `.` and `..`
/// are none.
fn check_path_token(text: &str) -> Result<Value, Fault> {
    if text.contains('/') {
        return fault("has a slash, so it cannot be one segment of a path");
    }
    if matches!(text, "." | "..") {
        return fault("means another path");
    }
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if !text.bytes().all(is_unreserved) {
        return fault("has a character that a URL escapes");
    }
    let distinct: BTreeSet<u8> = text.bytes().collect();
    if !text.is_empty() && (text.len() < PATH_TOKEN_BYTES_MIN || distinct.len() < PATH_TOKEN_DISTINCT_MIN) {
        return fault("can be guessed");
    }
    Ok(text.into())
}
