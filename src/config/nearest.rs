//! The nearest of several names, for a message about a mistyped one.

use strsim::osa_distance;

/// The name that needs the fewest changes, whatever its case. Two exchanged letters are one change.
pub(super) fn nearest(name: &str, names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().min_by_key(|other| distance(name, other)).unwrap_or_default()
}

/// How many letters differ, whatever their case.
pub(super) fn distance(one: &str, other: &str) -> usize {
    osa_distance(&one.to_lowercase(), &other.to_lowercase())
}
