//! `database.url`, which may hold a password. Messages show it without.

use std::fmt;

use serde::Deserialize;
use url::Url;

/// The URL of the database: `sqlite://…` or `postgres://…`. Its display hides the password of a
/// server URL and omits its parameters.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole URL, with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it names a PostgreSQL database.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        ["postgres:", "postgresql:"].iter().any(|scheme| self.0.starts_with(scheme))
    }
}

impl<T: Into<String>> From<T> for DatabaseUrl {
    fn from(url: T) -> Self {
        Self(url.into())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.starts_with("sqlite:") {
            return f.write_str(&self.0);
        }
        match Url::parse(&self.0) {
            // An unescaped slash in a password makes the rest of the password look like a path.
            Ok(url) if url.path().trim_start_matches('/').contains(['/', '@']) => f.write_str("(unreadable)"),
            // Without a host the apparent scheme may be a user name, and the rest a password.
            Ok(url) if url.cannot_be_a_base() => f.write_str("(unreadable)"),
            Ok(mut url) => {
                // A parameter may hold a password, too.
                url.set_query(None);
                if url.password().is_some() && url.set_password(Some("…")).is_err() {
                    return f.write_str("(unreadable)");
                }
                f.write_str(&url.as_str().replace("%E2%80%A6", "…"))
            }
            Err(_) => f.write_str("(unreadable)"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_shown_hides_password() {
        for (url, shown) in [
            ("sqlite://bidarc.db", "sqlite://bidarc.db"),
            ("postgres://bidarc@db/office", "postgres://bidarc@db/office"),
            ("postgres://bidarc:pass@db:5433/office?sslmode=require", "postgres://bidarc:…@db:5433/office"),
            ("postgresql://db/office?user=x&password=pass", "postgresql://db/office"),
            ("postgres://bidarc:pass word@db:notaport/office", "(unreadable)"),
            ("mongodb://bidarc:pass@db/office", "mongodb://bidarc:…@db/office"),
            ("pass", "(unreadable)"),
            ("postgres://bidarc:4711/pass@db/office", "(unreadable)"),
            ("postgres://bidarc:47/pass", "postgres://bidarc:47/pass"),
            ("bidarc:pass@db/office", "(unreadable)"),
        ] {
            let url = DatabaseUrl::from(url);
            assert_eq!((url.to_string().as_str(), format!("{url:?}").as_str()), (shown, shown));
        }
    }
}
