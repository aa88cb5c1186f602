//! The links in ArcSite's payloads: signed, and dead after a day.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sample::Sampler;

/// The vendor's words: a link "will expire in 24 hours".
pub const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// A host that can never exist (RFC 2606): nothing that follows a sample link reaches anybody.
const HOST: &str = "https://files.arcsite.example";

/// A link to `path`, signed at `at`: `…?Expires=<unix seconds>&Signature=…&Key-Pair-Id=…`. Signed twice, the same file
/// has two different links, which is why their query parts say nothing about whether two deliveries are one event.
pub fn signed(path: &str, at: DateTime<Utc>, sampler: &mut Sampler) -> String {
    let expires = (at + LIFETIME).timestamp();
    format!("{HOST}/{path}?Expires={expires}&Signature={}__&Key-Pair-Id=KSAMPLE0EXAMPLE", sampler.letters(64))
}
