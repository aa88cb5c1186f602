//! The place of the files, by the settings.

use crate::config::Settings;
use crate::store;

/// The value of `files.store` that turns files off.
const OFF: &str = "off";

/// The folder beside a SQLite file.
const DEFAULT_FOLDER: &str = "bidarc-files";

/// The place of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In this folder or at this URL.
    Store(String),
    /// Nowhere, for this reason.
    Off(&'static str),
}

impl Location {
    /// The place that the settings name.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        match settings.files.store.as_deref() {
            Some(OFF) => Self::Off("off (files.store)"),
            Some(place) => Self::Store(place.to_owned()),
            None => match store::file(&settings.database).as_deref().and_then(std::path::Path::parent) {
                Some(folder) => Self::Store(folder.join(DEFAULT_FOLDER).to_string_lossy().into_owned()),
                None => Self::Off("off: set files.store to a place that all nodes share"),
            },
        }
    }

    /// The folder or the URL, if files are kept.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Store(place) => Some(place),
            Self::Off(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(database: &str, place: Option<&str>) -> Location {
        let mut settings = Settings::defaults().unwrap();
        settings.database.url = database.into();
        settings.files.store = place.map(str::to_owned);
        Location::of(&settings)
    }

    #[test]
    fn files_are_beside_a_sqlite_file_and_off_on_postgresql() {
        let beside = location("sqlite:///var/lib/office/bidarc.db", None);
        assert_eq!(beside, Location::Store("/var/lib/office/bidarc-files".to_owned()));
        assert!(
            matches!(location("postgres://db/office", None), Location::Off(reason) if reason.contains("files.store"))
        );
        let bucket = Location::Store("s3://bucket/a".to_owned());
        assert_eq!(location("postgres://db/office", Some("s3://bucket/a")), bucket);
        assert_eq!(location("sqlite:///var/lib/bidarc.db", Some("off")).place(), None);
    }
}
