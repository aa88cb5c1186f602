//! Texts as they are compared.

/// A text without its case, beyond ASCII: what is looked for and what it is looked for in are both folded by this, so that
/// every database finds the same.
#[must_use]
pub fn fold_case(text: &str) -> String {
    // Letter by letter: a whole text's lower case depends on where a sigma stands, and a part of it must be found in it.
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}

/// A text as it is kept: PostgreSQL cannot hold U+0000, in whose place U+FFFD stands.
#[must_use]
pub fn replace_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// How long a text may be, in bytes, to be found by its exact value: an index entry of PostgreSQL has no room for much more.
const INDEXABLE_BYTES_MAX: usize = 500;

/// What a text is found by: itself, unless it is too long for an index. A longer one is kept and not found.
#[must_use]
pub fn indexable_text(text: String) -> Option<String> {
    Some(text).filter(|text| text.len() <= INDEXABLE_BYTES_MAX)
}

/// How many letters of a text an order looks at: an index entry of PostgreSQL has room for them.
const SORT_PREFIX_CHARS_MAX: usize = 200;

/// What stands for a text in an order: folded, and cut to its first 200 letters.
#[must_use]
pub fn sort_prefix(text: &str) -> String {
    fold_case(text).chars().take(SORT_PREFIX_CHARS_MAX).collect()
}
