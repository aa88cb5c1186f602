//! The vendors' ids, as numbers and as text.

use std::fmt;

use serde::Serialize;

/// A vendor's id. ArcSite's tables call ids strings, but its samples show numbers above 2^53, which
/// a float cannot hold. So both are sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Id {
    /// `36029621652695040`
    Number(u64),
    /// `"36029621652695040"`
    Text(String),
}

impl Id {
    /// The same id as a JSON string.
    pub fn as_text(&self) -> Id {
        Id::Text(self.to_string())
    }
}

/// The digits, without quotes.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Number(number) => write!(f, "{number}"),
            Id::Text(text) => f.write_str(text),
        }
    }
}

impl From<u64> for Id {
    fn from(number: u64) -> Id {
        Id::Number(number)
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Id {
        Id::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_keeps_every_digit_in_both_spellings() {
        let id = Id::from(36_029_621_652_695_041);
        assert_eq!(serde_json::to_string(&id).unwrap(), "36029621652695041");
        assert_eq!(serde_json::to_string(&id.as_text()).unwrap(), r#""36029621652695041""#);
        assert_eq!(id.to_string(), id.as_text().to_string());
    }
}
