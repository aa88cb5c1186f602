//! The links in ArcSite's payloads: signed, and valid for a day.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sample::Sampler;

/// The vendor's words: a link "will expire in 24 hours".
pub const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// A host that can never exist (RFC 2606), so a sample link leads nowhere.
const HOST: &str = "https://files.arcsite.example";

/// Creates a link to `path`, signed at `at`: `…?Expires=<unix seconds>&Signature=…&Key-Pair-Id=…`.
/// Two signatures of one file give two different links. A service must ignore the query when it
/// compares two deliveries.
pub fn signed(path: &str, at: DateTime<Utc>, sampler: &mut Sampler) -> String {
    let expires = (at + LIFETIME).timestamp();
    format!("{HOST}/{path}?Expires={expires}&Signature={}__&Key-Pair-Id=KSAMPLE0EXAMPLE", sampler.letters(64))
}
