//! Why settings cannot be used. A message names the source, the setting, the value and what is
//! allowed; never a secret's value.

use std::fmt;
use std::path::PathBuf;

use super::nearest::nearest;
use super::source::Source;
use super::table::SETTINGS;

/// Everything that is wrong with the settings.
#[derive(Debug)]
pub struct ConfigError(pub(super) Vec<Problem>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = &*self.0 {
            return problem.fmt(f);
        }
        write!(f, "{} faults in the settings:", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A settings file cannot be read.
    #[error("the settings file {} cannot be read: {cause}; --config or BIDARC_CONFIG names the file (bidarc.example.toml is one to copy)", path.display())]
    Unreadable {
        /// The absolute path.
        path: PathBuf,
        /// The error of reading it.
        cause: std::io::Error,
    },
    /// A file named by a `…_FILE` variable cannot be used.
    #[error("the variable {variable} must name a file that holds the value: {reason}")]
    ValueFile {
        /// The variable.
        variable: String,
        /// What is wrong with the file.
        reason: String,
    },
    /// A text is in another encoding.
    #[error("{at}: the text is not UTF-8; save it as UTF-8")]
    NotUtf8 {
        /// Its source; in a file, the line of the first other byte.
        at: Source,
    },
    /// A settings file is not TOML.
    #[error("{at}: {message}")]
    Syntax {
        /// The line.
        at: Source,
        /// What the parser expected.
        message: String,
    },
    /// A file has a section that no setting is in.
    #[error("{at}: there is no section [{name}]; the nearest is [{nearest}]")]
    UnknownSection {
        /// The line.
        at: Source,
        /// The section.
        name: String,
        /// The section that was perhaps meant.
        nearest: String,
    },
    /// A file has a key that is no setting.
    #[error("{at}: there is no setting {name}; the nearest is {nearest}")]
    UnknownSetting {
        /// The line.
        at: Source,
        /// The section and the key.
        name: String,
        /// The setting that was perhaps meant.
        nearest: String,
    },
    /// A file has a key above its first section.
    #[error("{at}: {name} stands in no section; the nearest setting is {nearest}, which belongs below [{section}]")]
    OutsideSection {
        /// The line.
        at: Source,
        /// The key.
        name: String,
        /// The setting that was perhaps meant.
        nearest: &'static str,
        /// Its section.
        section: &'static str,
    },
    /// A variable is almost that of a setting.
    #[error(
        "the variable {variable} sets nothing; the nearest is {nearest} (BIDARC_<SECTION>__<KEY>, with two \
         underscores between section and key)"
    )]
    UnknownVariable {
        /// The variable.
        variable: String,
        /// The variable that was perhaps meant.
        nearest: String,
    },
    /// A variable and its `…_FILE` both set a setting.
    #[error("{variable} and {variable}_FILE are both set; keep one of them")]
    SetTwice {
        /// The variable without `_FILE`.
        variable: String,
    },
    /// A value is not allowed.
    #[error("{at}: {setting} {given}; it must be {allowed}")]
    InvalidValue {
        /// The source.
        at: Source,
        /// The setting.
        setting: &'static str,
        /// The value without secrets, and what is wrong with it: "is 0", or "is …, which …".
        given: String,
        /// The values that are allowed.
        allowed: String,
    },
    /// The table of settings and the struct do not fit. A test excludes it.
    #[error("the settings do not fit their table: {0}")]
    Table(#[from] serde_json::Error),
}

impl Problem {
    pub(super) fn unknown_setting(at: Source, name: String) -> Self {
        let nearest = nearest(&name, SETTINGS.iter().map(|setting| setting.name.to_owned()));
        Self::UnknownSetting { at, name, nearest }
    }

    pub(super) fn outside_section(at: Source, name: &str) -> Self {
        let distance = |key: &str| super::nearest::distance(name, key);
        let (section, nearest) = SETTINGS
            .iter()
            .min_by_key(|setting| distance(setting.section_and_key().1).min(distance(setting.name)))
            .map_or(("", ""), |setting| (setting.section_and_key().0, setting.name));
        Self::OutsideSection { at, name: name.to_owned(), nearest, section }
    }
}
