//! From a vendor's JSON to an [`Event`] in our own words: pure, without I/O.
//!
//! The table of types below is the place to start when a vendor adds one (docs/ADDING-AN-EVENT.md).

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::clock::Time;
use crate::domain::{Change, DedupWindow, Event, EventKind, Identity, Provider, QuarantineReason, References, Subject};
use crate::vendor::envelope::{Envelope, EnvelopeError};
use crate::vendor::links::digest_without_signed_queries;

mod arcsite;
mod bidsketch;

/// What keeps a delivery from becoming an event: it goes into quarantine with this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormaliseError {
    /// The reason's kind.
    pub reason: QuarantineReason,
    /// What exactly is wrong, for whoever looks at the delivery.
    pub detail: String,
    /// The vendor's name of the event's type, where that much could be read.
    pub vendor_type: Option<String>,
}

/// Turns a body into an event. A type that is not in the tables becomes an event of kind UNRECOGNIZED.
///
/// # Errors
///
/// [`Unfit`] where the body is no envelope or its data does not fit its type.
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

/// An event but for what is the same for all: its type's name and its identity.
struct Draft {
    kind: EventKind,
    subject: String,
    references: References,
    dedup_window: DedupWindow,
    /// What makes two deliveries the same, in place of the data: a decision is written differently by two hooks.
    identity_override: Option<String>,
    occurred_at: Option<Time>,
    state_updated_at: Option<Time>,
    change: Change,
}

impl Draft {
    /// A draft that changes `change`, with nothing else known of it yet.
    fn new(kind: EventKind, subject: String, sameness: DedupWindow, change: Change) -> Self {
        Self {
            kind,
            subject,
            references: References::default(),
            dedup_window: sameness,
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

    /// Provider, kind (of an unrecognized event: the vendor's type), subject, and the data as received or what stands in
    /// its place. Each part is led by its length, so that no two lists of parts are the same bytes.
    fn digest(&self, provider: Provider, envelope: &Envelope<'_>) -> String {
        let (what, name) = if self.kind == EventKind::Unrecognized {
            ("type", envelope.event.as_str())
        } else {
            ("kind", self.kind.as_str())
        };
        let content = match &self.identity_override {
            Some(what) => what.as_bytes().to_vec(),
            None => digest_without_signed_queries(envelope.data).to_vec(),
        };
        let mut hash = Sha256::new();
        let parts = [provider.as_str(), what, name, &self.subject].map(str::as_bytes);
        for part in parts.into_iter().chain([content.as_slice()]) {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

/// A type that this version does not know: kept as it is. Its subject is its type and, where it has one, its id.
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

/// [`Sameness::Always`] for what carries its own time, else as a state.
const fn dedup_for_time(time: Option<Time>) -> DedupWindow {
    if time.is_some() { DedupWindow::Unlimited } else { DedupWindow::UntilSubjectChanges }
}

#[cfg(test)]
mod tests;
