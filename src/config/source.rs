//! The values of a settings file and of flags, each with its source.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::Given;
use super::nearest::nearest;
use super::problem::Problem;
use super::table::{SETTINGS, Setting};

/// Where a value comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A line of a settings file.
    File {
        /// The absolute path.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A file that an environment variable names.
    VariableFile {
        /// The variable.
        variable: String,
        /// The file.
        path: PathBuf,
    },
    /// A flag of the command line.
    Flag(&'static str),
    /// `bidarc.example.toml`, which the binary holds.
    Defaults,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Variable(variable) => write!(f, "the variable {variable}"),
            Self::VariableFile { variable, path } => write!(f, "{}, the file that {variable} names", path.display()),
            Self::Flag(flag) => f.write_str(flag),
            Self::Defaults => f.write_str("the defaults"),
        }
    }
}

/// A value of a setting, and where it comes from.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) setting: &'static Setting,
    pub(super) given: Given,
    pub(super) source: Source,
}

/// Reads a text file in UTF-8. A byte order mark, as some editors write it, is dropped.
pub(super) fn read_text(path: &Path) -> Result<String, Problem> {
    let bytes = std::fs::read(path).map_err(|cause| Problem::Unreadable { path: absolute(path), cause })?;
    let not_utf8 = |at: usize| {
        let line = 1 + bytes.iter().take(at).filter(|&&byte| byte == b'\n').count();
        Problem::NotUtf8 { at: Source::File { path: absolute(path), line } }
    };
    match std::str::from_utf8(&bytes) {
        // UTF-16 of plain text is valid UTF-8 without a mark, with a zero in every second place.
        Ok(text) => match text.find('\0') {
            Some(at) => Err(not_utf8(at)),
            None => Ok(text.trim_start_matches('\u{feff}').to_owned()),
        },
        Err(error) => Err(not_utf8(error.valid_up_to())),
    }
}

/// Reads a settings file. The default one, which is not named, may be missing.
pub(super) fn read_file(path: &Path, is_named: bool, problems: &mut Vec<Problem>) -> Vec<Entry> {
    match read_text(path) {
        Ok(text) => parse(&text, |line| Source::File { path: absolute(path), line }, problems),
        // A link that leads nowhere was meant to be read.
        Err(Problem::Unreadable { cause, .. })
            if cause.kind() == ErrorKind::NotFound && !is_named && path.symlink_metadata().is_err() =>
        {
            Vec::new()
        }
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    }
}

/// Reads the settings of a TOML text.
pub(super) fn parse(text: &str, source: impl Fn(usize) -> Source, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let at = |offset: usize| source(1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count());
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let at = at(error.span().map_or(0, |span| span.start));
            // The library's own display quotes the line, which may hold a secret.
            problems.push(Problem::Syntax { at, message: error.message().replace('\n', " ") });
            return Vec::new();
        }
    };
    let mut entries = Vec::new();
    for (section, content) in &table {
        let source = at(section.span().start);
        let name: &str = section.get_ref();
        let is_section = SETTINGS.iter().any(|setting| setting.section_and_key().0 == name);
        match content.get_ref().as_table() {
            Some(keys) if is_section => {
                for (key, value) in keys {
                    let source = at(key.span().start);
                    let name = format!("{name}.{}", key.get_ref());
                    match SETTINGS.iter().find(|setting| setting.name == name) {
                        Some(setting) => entries.push(Entry { setting, given: given(value), source }),
                        None => problems.push(Problem::unknown_setting(source, name)),
                    }
                }
            }
            Some(_) => {
                let nearest = nearest(name, SETTINGS.iter().map(|setting| setting.section_and_key().0.to_owned()));
                problems.push(Problem::UnknownSection { at: source, name: name.to_owned(), nearest });
            }
            None => problems.push(Problem::outside_section(source, name)),
        }
    }
    entries
}

fn given(value: &Spanned<DeValue<'_>>) -> Given {
    match value.get_ref() {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Given::Integer(number),
            Err(_) => Given::Other(number.to_string()),
        },
        DeValue::Array(items) => Given::List(items.iter().map(given).collect()),
        DeValue::Boolean(value) => Given::Other(value.to_string()),
        DeValue::Float(number) => Given::Other(number.to_string()),
        DeValue::Datetime(time) => Given::Other(time.to_string()),
        DeValue::Table(_) => Given::Other("a table".to_owned()),
    }
}

/// The path from the root, for a message.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
