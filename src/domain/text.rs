//! Texts in the forms that are searched, sorted and stored.

/// Folds case, beyond ASCII. Search terms and searched columns both pass through here, so SQLite
/// and PostgreSQL find the same rows.
#[must_use]
pub fn fold_case(text: &str) -> String {
    // Letter by letter, because the lower case of a sigma depends on its position in the text, and
    // a part of a text must match within the whole.
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}

/// Replaces U+0000, which PostgreSQL cannot store, by U+FFFD.
#[must_use]
pub fn replace_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// The greatest length, in bytes, of a text that can be found by its exact value. An index entry of
/// PostgreSQL has room for little more.
const INDEXABLE_BYTES_MAX: usize = 500;

/// The text, unless it is too long for an index. A longer text is stored, but a search for its
/// exact value does not find it.
#[must_use]
pub fn indexable_text(text: String) -> Option<String> {
    Some(text).filter(|text| text.len() <= INDEXABLE_BYTES_MAX)
}

/// How many characters of a text an order compares. An index entry of PostgreSQL has room for them.
const SORT_PREFIX_CHARS_MAX: usize = 200;

/// The value by which a text is sorted: case-folded, and cut to its first 200 characters.
#[must_use]
pub fn sort_prefix(text: &str) -> String {
    fold_case(text).chars().take(SORT_PREFIX_CHARS_MAX).collect()
}
