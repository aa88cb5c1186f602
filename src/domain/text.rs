//! Texts as they are compared.

/// A text without its case, beyond ASCII: what is looked for and what it is looked for in are both folded by this, so that
/// every database finds the same.
#[must_use]
pub fn fold(text: &str) -> String {
    // Letter by letter: a whole text's lower case depends on where a sigma stands, and a part of it must be found in it.
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}

/// A text as it is kept: PostgreSQL cannot hold U+0000, in whose place U+FFFD stands.
#[must_use]
pub fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// How long a text may be, in bytes, to be found by its exact value: an index entry of PostgreSQL has no room for much more.
const LONGEST_KEY: usize = 500;

/// What a text is found by: itself, unless it is too long for an index. A longer one is kept and not found.
#[must_use]
pub fn search_key(text: String) -> Option<String> {
    Some(text).filter(|text| text.len() <= LONGEST_KEY)
}

/// How many letters of a text an order looks at: an index entry of PostgreSQL has room for them.
const ORDERED_LETTERS: usize = 200;

/// What stands for a text in an order: folded, and cut to its first 200 letters.
#[must_use]
pub fn order_key(text: &str) -> String {
    fold(text).chars().take(ORDERED_LETTERS).collect()
}
