//! Turns a vendor's JSON into an [`Event`] in our own words. Pure, without I/O.
//!
//! A new vendor type begins in the tables of `arcsite` and `bidsketch` (docs/ADDING-AN-EVENT.md).

use std::borrow::Cow;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::clock::Time;
use crate::domain::nesting::{NESTING_LEVELS_MAX, cut_nesting};
use crate::domain::{
    Change, DedupWindow, Event, EventKind, FileLink, Identity, Patch, Provider, QuarantineReason, References, Subject,
};
use crate::vendor::envelope::{Envelope, EnvelopeError};
use crate::vendor::links::digest_without_signed_queries;
use crate::vendor::wire::{Members, Unread};

mod arcsite;
mod bidsketch;

/// Why a delivery cannot become an event. It goes into quarantine with this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormaliseError {
    /// The reason, for programs.
    pub reason: QuarantineReason,
    /// The exact problem, for people who look at the delivery.
    pub detail: String,
    /// The vendor's event type, if it could be read.
    pub vendor_type: Option<String>,
}

/// Turns the text of a body into an event. A type that is not in the tables becomes an event of
/// kind UNRECOGNIZED.
///
/// # Errors
///
/// [`NormaliseError`] if the text is not an envelope, or its data does not fit its type or is
/// nested too deep.
pub fn normalise(provider: Provider, text: &str) -> Result<Event, NormaliseError> {
    let envelope = parse_envelope(text)?;
    if let Cow::Owned(_) = cut_nesting(envelope.data, NESTING_LEVELS_MAX) {
        let detail = format!("`data` is nested more than {NESTING_LEVELS_MAX} levels deep");
        return Err(NormaliseError {
            reason: QuarantineReason::InvalidPayload,
            detail,
            vendor_type: Some(envelope.event),
        });
    }
    into_event(provider, envelope)
}

/// Like [`normalise`], for an event that the log has already. Earlier versions took any nesting.
///
/// # Errors
///
/// [`NormaliseError`] if today's code rejects the event.
pub(super) fn normalise_recorded(provider: Provider, text: &str) -> Result<Event, NormaliseError> {
    into_event(provider, parse_envelope(text)?)
}

fn parse_envelope(text: &str) -> Result<Envelope<'_>, NormaliseError> {
    Envelope::parse(text).map_err(|error| {
        let (reason, detail) = match error {
            EnvelopeError::NotJson(detail) => (QuarantineReason::NotJson, detail),
            EnvelopeError::NotAnEnvelope(detail) => (QuarantineReason::NotAnEnvelope, detail),
        };
        NormaliseError { reason, detail, vendor_type: None }
    })
}

fn into_event(provider: Provider, envelope: Envelope<'_>) -> Result<Event, NormaliseError> {
    let mut unread = Unread::default();
    let draft = match provider {
        Provider::Arcsite => arcsite::draft(&envelope, &mut unread),
        Provider::Bidsketch => bidsketch::draft(&envelope, &mut unread),
    };
    let unread = (!unread.is_empty()).then(|| unread.to_string());
    match draft {
        Ok(draft) => {
            let draft = draft.unwrap_or_else(|| draft_unrecognized(&envelope));
            Ok(Event { unread, ..draft.into_event(provider, envelope) })
        }
        Err(problem) => {
            let unread = unread.map(|unread| format!("; {unread}")).unwrap_or_default();
            Err(NormaliseError {
                reason: QuarantineReason::InvalidPayload,
                detail: format!("`data` does not fit the type {}: {problem}{unread}", envelope.event),
                vendor_type: Some(envelope.event),
            })
        }
    }
}

/// The status that an event is about.
fn required_status(status: &Patch<String>) -> Result<&String, String> {
    let status = status.value().filter(|status| !status.trim().is_empty());
    status.ok_or_else(|| "`status` is missing or cannot be read".to_owned())
}

/// An event without the parts that are the same for all kinds: vendor type and identity.
struct Draft {
    kind: EventKind,
    subject: String,
    references: References,
    /// Replaces the data in the identity. Two hooks of one decision may send different data.
    identity_override: Option<String>,
    occurred_at: Option<Time>,
    state_updated_at: Option<Time>,
    change: Change,
    files: Vec<FileLink>,
}

impl Draft {
    /// Creates a draft with nothing known except these parts.
    fn new(kind: EventKind, subject: String, change: Change) -> Self {
        Self {
            kind,
            subject,
            references: References::default(),
            identity_override: None,
            occurred_at: None,
            state_updated_at: None,
            change,
            files: Vec::new(),
        }
    }

    fn into_event(self, provider: Provider, envelope: Envelope<'_>) -> Event {
        let digest = self.digest(provider, &envelope);
        let dedup_window = DedupWindow::of(self.kind, self.occurred_at.is_some());
        let status = match &self.change {
            Change::Proposal(_, change) => change.status.status(),
            Change::Project(..) | Change::Drawing(..) | Change::Client(..) | Change::Payment(_) | Change::Nothing => {
                None
            }
        };
        Event {
            provider,
            kind: self.kind,
            vendor_type: envelope.event,
            subject: Subject(self.subject),
            references: self.references,
            identity: Identity { digest, dedup_window },
            occurred_at: self.occurred_at,
            state_updated_at: self.state_updated_at,
            status,
            change: self.change,
            files: self.files,
            unread: None,
        }
    }

    /// Hashes provider, kind (the vendor's type if unrecognized), subject, and the data as received
    /// or its override, which is empty for a creation. The length of each part precedes it, so no
    /// two lists of parts give the same bytes.
    fn digest(&self, provider: Provider, envelope: &Envelope<'_>) -> String {
        let (label, name) = if self.kind == EventKind::Unrecognized {
            ("type", envelope.event.as_str())
        } else {
            ("kind", self.kind.as_str())
        };
        let content = match &self.identity_override {
            // A creation happens once: its subject says all.
            _ if self.kind.is_creation() => Vec::new(),
            Some(identity) => identity.as_bytes().to_vec(),
            None => digest_without_signed_queries(envelope.data).to_vec(),
        };
        let mut hash = Sha256::new();
        let parts = [provider.as_str(), label, name, &self.subject].map(str::as_bytes);
        for part in parts.into_iter().chain([content.as_slice()]) {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

/// Drafts an event whose type this version does not know; its data is kept unchanged. Its subject
/// is the type and, if there is one, the id.
fn draft_unrecognized(envelope: &Envelope<'_>) -> Draft {
    let id = Members::parse(envelope.data).and_then(|members| members.get("id")).ok().flatten();
    let id = id.map_or("", RawValue::get);
    let id: String = id.trim_matches('"').chars().filter(|letter| !letter.is_control()).take(100).collect();
    let subject = format!("unrecognized:{}:{id}", envelope.event);
    Draft::new(EventKind::Unrecognized, subject, Change::Nothing)
}

#[cfg(test)]
mod tests;
