//! Turns a vendor's JSON into an [`Event`] in our own words. Pure, without I/O.
//!
//! A new vendor type begins in the tables of `arcsite` and `bidsketch` (docs/ADDING-AN-EVENT.md).

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::clock::Time;
use crate::domain::{Change, DedupWindow, Event, EventKind, Identity, Provider, QuarantineReason, References, Subject};
use crate::vendor::envelope::{Envelope, EnvelopeError};
use crate::vendor::links::digest_without_signed_queries;

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

/// Turns a body into an event. A type that is not in the tables becomes an event of kind
/// UNRECOGNIZED.
///
/// # Errors
///
/// [`NormaliseError`] if the body is not an envelope, or its data does not fit its type.
pub fn normalise(provider: Provider, body: &[u8]) -> Result<Event, NormaliseError> {
    let envelope = Envelope::parse(body).map_err(|error| {
        let (reason, detail) = match error {
            EnvelopeError::NotJson(detail) => (QuarantineReason::NotJson, detail),
            EnvelopeError::NotAnEnvelope(detail) => (QuarantineReason::NotAnEnvelope, detail),
        };
        NormaliseError { reason, detail, vendor_type: None }
    })?;
    let draft = match provider {
        Provider::Arcsite => arcsite::draft(&envelope),
        Provider::Bidsketch => bidsketch::draft(&envelope),
    };
    match draft {
        Ok(draft) => Ok(draft.unwrap_or_else(|| draft_unrecognized(&envelope)).into_event(provider, envelope)),
        Err(detail) => Err(NormaliseError {
            reason: QuarantineReason::InvalidPayload,
            detail: format!("`data` does not fit the type {}: {detail}", envelope.event),
            vendor_type: Some(envelope.event),
        }),
    }
}

/// An event without the parts that are the same for all kinds: vendor type and identity.
struct Draft {
    kind: EventKind,
    subject: String,
    references: References,
    dedup_window: DedupWindow,
    /// Replaces the data in the identity. Two hooks of one decision may send different data.
    identity_override: Option<String>,
    occurred_at: Option<Time>,
    state_updated_at: Option<Time>,
    change: Change,
}

impl Draft {
    /// Creates a draft with nothing known except these parts.
    fn new(kind: EventKind, subject: String, dedup_window: DedupWindow, change: Change) -> Self {
        Self {
            kind,
            subject,
            references: References::default(),
            dedup_window,
            identity_override: None,
            occurred_at: None,
            state_updated_at: None,
            change,
        }
    }

    fn into_event(self, provider: Provider, envelope: Envelope<'_>) -> Event {
        let digest = self.digest(provider, &envelope);
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
            identity: Identity { digest, dedup_window: self.dedup_window },
            occurred_at: self.occurred_at,
            state_updated_at: self.state_updated_at,
            status,
            change: self.change,
        }
    }

    /// Hashes provider, kind (the vendor's type if unrecognized), subject, and the data as received
    /// or its override. The length of each part precedes it, so no two lists of parts give the same
    /// bytes.
    fn digest(&self, provider: Provider, envelope: &Envelope<'_>) -> String {
        let (label, name) = if self.kind == EventKind::Unrecognized {
            ("type", envelope.event.as_str())
        } else {
            ("kind", self.kind.as_str())
        };
        let content = match &self.identity_override {
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
    #[derive(serde::Deserialize)]
    struct AnyId<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
    }
    let id = serde_json::from_str::<AnyId<'_>>(envelope.data).ok().and_then(|any| any.id).map_or("", RawValue::get);
    let id: String = id.trim_matches('"').chars().filter(|letter| !letter.is_control()).take(100).collect();
    let subject = format!("unrecognized:{}:{id}", envelope.event);
    Draft::new(EventKind::Unrecognized, subject, DedupWindow::UntilSubjectChanges, Change::Nothing)
}

/// [`DedupWindow::Unlimited`] for data that carries its own time, else that of a state.
const fn dedup_for_time(time: Option<Time>) -> DedupWindow {
    if time.is_some() { DedupWindow::Unlimited } else { DedupWindow::UntilSubjectChanges }
}

#[cfg(test)]
mod tests;
