//! URLs as messages, logs, the greeting and debug output show them. No other code shows a URL that
//! comes from a setting or from outside.

use std::fmt;

use serde::Deserialize;

/// Stands for a part that may be a secret.
const HIDDEN: &str = "…";
/// Stands for a text that is not a URL. It may be a password in the wrong place.
const NOT_A_URL: &str = "(not a URL)";
/// A part of the path of a web address that has at least this many bytes counts as a secret, as the
/// tokens of hooks do.
pub const SECRET_PART_BYTES_MIN: usize = 20;
/// The most bytes of a scheme. A longer one is something else.
const SCHEME_BYTES_MAX: usize = 20;

/// A URL of the settings, which may hold a password. It is displayed as [`shown_url`] says.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The whole URL, with its secrets.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it names a PostgreSQL database.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        ["postgres:", "postgresql:"].iter().any(|scheme| self.0.starts_with(scheme))
    }

    /// Whether its user name or password has a `/`, `?` or `#` that is not percent-encoded. Others
    /// would then take a part of the password for the host, the database or a parameter.
    #[must_use]
    pub fn has_raw_delimiter(&self) -> bool {
        split_scheme(&self.0).is_some_and(|(_, rest)| match rest.rsplit_once('@') {
            Some((before, _)) => before.contains(['/', '?', '#']) && !has_at_in_query(rest),
            None => false,
        })
    }
}

impl<T: Into<String>> From<T> for SecretUrl {
    fn from(url: T) -> Self {
        Self(url.into())
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown_url(&self.0))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown_url(&self.0))
    }
}

/// Shows a URL or connection string: scheme, host after the last `@`, port, and database or path.
/// It never shows a user name, a password or a parameter. It shows less where it cannot tell them
/// from the rest, and long parts of the path of a web address as `…`.
#[must_use]
pub fn shown_url(text: &str) -> String {
    let text = text.trim();
    let Some((scheme, rest)) = split_scheme(text) else { return shown_file(text) };
    if scheme == "sqlite" {
        return shown_file(text);
    }
    let hidden = format!("{scheme}://{HIDDEN}");
    if has_at_in_query(rest) {
        return hidden;
    }
    let after_userinfo = rest.rsplit_once('@').map_or(rest, |(_, after)| after);
    let (address, has_query) = match after_userinfo.find(['?', '#']) {
        Some(end) => (&after_userinfo[..end], after_userinfo[end..].starts_with('?')),
        None => (after_userinfo, false),
    };
    let (authority, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    if !is_authority(authority) || path.contains(char::is_control) {
        return hidden;
    }
    if !matches!(scheme.as_str(), "http" | "https") {
        // A database has no `/` in its name. It may be a password's.
        let database = if path.trim_start_matches('/').contains('/') { "/…" } else { path };
        return format!("{scheme}://{authority}{database}");
    }
    let parts = path.split('/').map(|part| if part.len() >= SECRET_PART_BYTES_MIN { HIDDEN } else { part });
    let query = if has_query { "?…" } else { "" };
    format!("{scheme}://{authority}{}{query}", parts.collect::<Vec<_>>().join("/"))
}

/// Shows the URLs in a text from outside, such as a vendor's message, as [`shown_url`] does.
#[must_use]
pub fn show_urls_in(text: &str) -> String {
    let is_end = |letter: char| letter.is_whitespace() || letter.is_control() || "\"'<>`|".contains(letter);
    text.split_inclusive(is_end)
        .map(|word| {
            let (url, end) = word.split_at(word.find(is_end).unwrap_or(word.len()));
            let Some(colon) = url.find("://") else { return word.to_owned() };
            let before = url[..colon].trim_end_matches(|letter: char| letter.is_ascii_alphanumeric()).len();
            format!("{}{}{end}", &url[..before], shown_url(&url[before..]))
        })
        .collect()
}

/// The scheme in lower case, and what follows `://`.
fn split_scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.trim().split_once("://")?;
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.len() <= SCHEME_BYTES_MAX
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// Whether the last `@` may be in a parameter: `?name=` stands before it. Then what follows may be
/// a part of a password.
fn has_at_in_query(rest: &str) -> bool {
    let Some((before_at, _)) = rest.rsplit_once('@') else { return false };
    before_at.match_indices('?').any(|(at, _)| {
        let name = before_at[at + 1..].split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte))
        })
    })
}

/// Whether a text is a host with or without a port, or nothing.
fn is_authority(text: &str) -> bool {
    let (is_host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            (address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.%".contains(&byte)), port.strip_prefix(':'))
        }
        None => {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            (host.chars().all(|letter| letter.is_alphanumeric() || "-._%".contains(letter)), port)
        }
    };
    let is_ipv6_end = !text.starts_with('[') || port.is_some() || text.ends_with(']');
    is_host && is_ipv6_end && port.is_none_or(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A SQLite file, which has a path and no user name. A text that could have one is hidden.
fn shown_file(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("sqlite")) else {
        return NOT_A_URL.to_owned();
    };
    let (scheme, file) = (scheme.to_ascii_lowercase(), rest.split('?').next().unwrap_or_default());
    if rest.contains(char::is_control) || rest.rsplit_once('@').is_some_and(|(before, _)| before.contains(':')) {
        return format!("{scheme}://{HIDDEN}");
    }
    format!("{scheme}:{file}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn url_of_any_form_is_shown_without_its_secrets() {
        for (url, shown) in [
            ("sqlite://bidarc.db", "sqlite://bidarc.db"),
            ("sqlite:///home/me@work/My Office/bidarc.db?mode=rwc", "sqlite:///home/me@work/My Office/bidarc.db"),
            ("sqlite:bidarc.db", "sqlite:bidarc.db"),
            ("sqlite::memory:", "sqlite::memory:"),
            ("sqlite://me:hunter2@db/office", "sqlite://…"),
            ("SQLite://me:hun?ter2@db/office", "sqlite://…"),
            ("postgres://db/office", "postgres://db/office"),
            ("postgres://me@db/office", "postgres://db/office"),
            ("postgres://me:hunter2@db:5433/office?sslmode=require", "postgres://db:5433/office"),
            ("postgres://me:hun@ter2@db/office", "postgres://db/office"),
            ("postgres://me:hun@te#r2@db/office", "postgres://db/office"),
            ("postgres://me:hun/ter2@db/office", "postgres://db/office"),
            ("postgres://me:hun?ter2@db/office", "postgres://db/office"),
            ("postgres://me:hunter2?@db/office", "postgres://db/office"),
            ("postgres://me:hun%te:r2%40@db/office", "postgres://db/office"),
            ("postgres://me:47/hunter2@db/office", "postgres://db/office"),
            ("postgres://me:hun ter2@db/office", "postgres://db/office"),
            ("postgres://me:hunter2@[2001:db8::1]:5432/office", "postgres://[2001:db8::1]:5432/office"),
            ("postgres://me:hunter2@[::1]/office", "postgres://[::1]/office"),
            ("postgres://me:hunter2@[::1/office", "postgres://…"),
            ("postgres://me:hunter2@/office", "postgres:///office"),
            ("postgres:///office?host=/run/postgresql&password=hunter2", "postgres:///office"),
            ("postgres://%2Frun%2Fpostgresql/office", "postgres://%2Frun%2Fpostgresql/office"),
            ("postgresql://db/office?user=me&password=hunter2", "postgresql://db/office"),
            // The end of this password looks like a host.
            ("postgres://db/office?password=me@hunter2", "postgres://…"),
            ("postgres://me:x@db/office?sslmode=require&password=me@hunter2/y", "postgres://…"),
            ("postgres://db/office#hunter2", "postgres://db/office"),
            ("postgres://me:hunter2", "postgres://…"),
            ("postgres://me:hun/ter2", "postgres://…"),
            ("postgres://me:47/hun/ter2", "postgres://me:47/…"),
            ("postgres://me:hunter2@db:port/office", "postgres://…"),
            ("postgres://me:hunter2@db:543210/office", "postgres://…"),
            ("postgres://", "postgres://"),
            ("  POSTGRES://me:hunter2@DB/Office\n", "postgres://DB/Office"),
            ("postgres://db/off\nice", "postgres://…"),
            ("mongodb+srv://me:hunter2@db/office", "mongodb+srv://db/office"),
            ("mysql://me:hunter2@[hunter2]/x", "mysql://…"),
            ("https://me:hunter2@office.example.com/base/", "https://office.example.com/base/"),
            ("https://office.example.com:8443/api?key=hunter2#hunter2", "https://office.example.com:8443/api?…"),
            ("https://büro.example/hooks/0123456789abcdef0123", "https://büro.example/hooks/…"),
            ("", "(not a URL)"),
            ("hunter2", "(not a URL)"),
            ("me:hunter2@db/office", "(not a URL)"),
            ("postgres:me:hunter2@db", "(not a URL)"),
            ("jdbc:postgresql://me:hunter2@db/office", "(not a URL)"),
            ("me:hunter2://@db", "(not a URL)"),
            ("host=db user=me password=hunter2 dbname=office", "(not a URL)"),
            ("bidarc.db", "(not a URL)"),
        ] {
            let secret = SecretUrl::from(url);
            assert_eq!((secret.to_string().as_str(), format!("{secret:?}").as_str()), (shown, shown), "{url}");
        }
    }

    #[test]
    fn url_in_a_text_is_shown_without_its_secrets() {
        for (text, shown) in [
            ("no URL: a:b@c", "no URL: a:b@c"),
            ("at https://a.example/x?key=hunter2, then", "at https://a.example/x?… then"),
            ("<a href=\"https://me:hunter2@a.example/\">x</a>", "<a href=\"https://a.example/\">x</a>"),
            ("(postgres://me:hunter2@db/x)", "(postgres://db/x)"),
            ("a https://a.example/0123456789abcdef0123\nb", "a https://a.example/…\nb"),
        ] {
            assert_eq!(show_urls_in(text), shown);
        }
    }

    #[test]
    fn raw_delimiter_in_a_password_is_found() {
        for (url, is_raw) in [
            ("postgres://me:hun/ter@db/office", true),
            ("postgres://me:hun?ter@db/office", true),
            ("postgres://me:hun#ter@db/office", true),
            // The driver reads these as they are meant.
            ("postgres://me:hun@ter@db/office", false),
            ("postgres://me:hun%2Fter@db/office?sslmode=require", false),
            ("postgres://db/office?user=me@home", false),
            ("postgres:///office?host=/run/postgresql", false),
            ("sqlite:///a/b.db", false),
        ] {
            assert_eq!(SecretUrl::from(url).has_raw_delimiter(), is_raw, "{url}");
        }
    }

    proptest! {
        /// Whatever a password holds, nothing of it is shown.
        #[test]
        fn password_is_never_shown(password in "[XYZ@:/?#%=&\\[\\] ]{1,12}", query in "(\\?sslmode=a)?") {
            let shown = shown_url(&format!("postgres://me:{password}@db:5432/office{query}"));
            prop_assert!(!shown.contains(['X', 'Y', 'Z']), "{}", shown);
            let shown = shown_url(&format!("postgres://db/office?password={password}"));
            prop_assert!(!shown.contains(['X', 'Y', 'Z']), "{}", shown);
        }
    }
}
