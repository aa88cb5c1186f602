//! Settings from environment variables: `BIDARC_<SECTION>__<KEY>`, and `…_FILE` for a file that
//! holds the value.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::check::Given;
use super::nearest::{distance, nearest};
use super::problem::Problem;
use super::source::{Entry, Source, read_text};
use super::table::{SETTINGS, Setting};

const PREFIX: &str = "BIDARC_";
const SECTION_SEPARATOR: &str = "__";
const FILE_SUFFIX: &str = "_FILE";

/// Variables of the binary that are no settings.
const OPTION_VARIABLES: [&str; 2] = ["BIDARC_CONFIG", "BIDARC_COPY_TO"];

/// Variables that others read: clients and scripts, tests, and the failpoints of tests.
const OTHER_VARIABLES: [&str; 6] =
    ["BIDARC_TOKEN", "BIDARC_BIN", "BIDARC_SOCKET", "BIDARC_STREAM", "BIDARC_TEST_DATABASE", "BIDARC_FAILPOINT"];

/// A variable that differs in so many letters from one that bidarc reads was meant to be that one.
const TYPING_ERROR_LETTERS_MAX: usize = 2;

/// What a variable means.
enum Meaning {
    Value(&'static Setting),
    FileOf(&'static Setting),
    Nothing,
    /// It was meant to be this one.
    Mistyped(String),
}

/// The settings among `variables`.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let mut entries: BTreeMap<&str, Entry> = BTreeMap::new();
    for (variable, value) in variables {
        let variable = variable.to_string_lossy().into_owned();
        let (setting, read) = match meaning(&variable) {
            Meaning::Nothing => continue,
            Meaning::Mistyped(nearest) => {
                problems.push(Problem::UnknownVariable { variable, nearest });
                continue;
            }
            Meaning::Value(setting) => (setting, text_of_variable(&variable, value)),
            Meaning::FileOf(setting) => (setting, text_of_file(&variable, Path::new(&value))),
        };
        match read {
            Ok((text, source)) => {
                let entry = Entry { setting, given: Given::Text(text), source };
                if entries.insert(setting.name, entry).is_some() {
                    problems.push(Problem::SetTwice { variable: setting.variable() });
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    entries.into_values().collect()
}

fn meaning(variable: &str) -> Meaning {
    if OPTION_VARIABLES.contains(&variable) || OTHER_VARIABLES.contains(&variable) {
        return Meaning::Nothing;
    }
    for setting in SETTINGS {
        match variable.strip_prefix(&setting.variable()) {
            Some("") => return Meaning::Value(setting),
            Some(FILE_SUFFIX) => return Meaning::FileOf(setting),
            Some(_) | None => {}
        }
    }
    let names = || {
        let settings = SETTINGS.iter().map(Setting::variable);
        let files = SETTINGS.iter().map(|setting| setting.variable() + FILE_SUFFIX);
        settings.chain(files).chain(OPTION_VARIABLES.map(str::to_owned))
    };
    let upper = variable.to_uppercase();
    let Some(rest) = upper.strip_prefix(PREFIX) else {
        let nearest = nearest(&upper, names());
        let is_near = distance(&upper, &nearest) <= TYPING_ERROR_LETTERS_MAX;
        return if is_near { Meaning::Mistyped(nearest) } else { Meaning::Nothing };
    };
    // A key without its section. The address of the service may well be called BIDARC_URL.
    let key = rest.strip_suffix(FILE_SUFFIX).unwrap_or(rest);
    let by_key = SETTINGS.iter().find(|setting| setting.section_and_key().1.to_uppercase() == key);
    if let Some(setting) = by_key.filter(|setting| setting.name != "database.url") {
        return Meaning::Mistyped(setting.variable() + &rest[key.len()..]);
    }
    let nearest = nearest(&upper, names());
    if rest.contains(SECTION_SEPARATOR) || distance(&upper, &nearest) <= TYPING_ERROR_LETTERS_MAX {
        Meaning::Mistyped(nearest)
    } else {
        Meaning::Nothing
    }
}

fn text_of_variable(variable: &str, value: OsString) -> Result<(String, Source), Problem> {
    let source = Source::Variable(variable.to_owned());
    match value.into_string() {
        Ok(text) => Ok((text, source)),
        Err(_) => Err(Problem::NotUtf8 { at: source }),
    }
}

/// The content of a file. An empty one is refused: a secret that is missing would leave a hook
/// open or closed without a word.
fn text_of_file(variable: &str, path: &Path) -> Result<(String, Source), Problem> {
    let problem = |reason: String| Problem::ValueFile { variable: variable.to_owned(), reason };
    if path.as_os_str().is_empty() {
        return Err(problem("it is empty".to_owned()));
    }
    match read_text(path) {
        Ok(text) if text.trim().is_empty() => Err(problem(format!("{} is empty", path.display()))),
        Ok(text) => {
            Ok((text.trim().to_owned(), Source::VariableFile { variable: variable.to_owned(), path: path.to_owned() }))
        }
        Err(Problem::Unreadable { path, cause }) => Err(problem(format!("{} cannot be read: {cause}", path.display()))),
        Err(other) => Err(other),
    }
}
