//! Settings from environment variables: `BIDARC_<SECTION>__<KEY>`, and `…_FILE` for a file that
//! holds the value.

use std::collections::HashMap;
use std::path::PathBuf;

use config::Environment;

use super::ConfigError;

const VARIABLE_PREFIX: &str = "BIDARC_";
const SECTION_SEPARATOR: &str = "__";
const FILE_SUFFIX: &str = "_FILE";

/// The settings among `variables`. A name without `__`, like `BIDARC_CONFIG`, is not a setting.
pub(super) fn source(variables: impl IntoIterator<Item = (String, String)>) -> Result<Environment, ConfigError> {
    let mut settings = HashMap::new();
    for (variable, value) in variables {
        let Some(key) = variable.strip_prefix(VARIABLE_PREFIX).filter(|key| key.contains(SECTION_SEPARATOR)) else {
            continue;
        };
        if let Some(key) = key.strip_suffix(FILE_SUFFIX) {
            let path = PathBuf::from(value);
            match std::fs::read_to_string(&path) {
                Ok(content) => settings.insert(key.to_owned(), content.trim().to_owned()),
                Err(cause) => return Err(ConfigError::SecretFile { variable, path, cause }),
            };
        } else {
            settings.insert(key.to_owned(), value);
        }
    }
    // Values stay text, because a secret made of digits must not become a number. The type of a
    // setting parses its numbers.
    Ok(Environment::default().separator(SECTION_SEPARATOR).source(Some(settings)))
}
