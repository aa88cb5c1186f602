//! How a delivery is taken in: verify → normalise → record → answer.
//!
//! `verify` proves the sender, `normalise` turns the vendor's JSON into an event, `record` writes
//! delivery and event in one durable transaction, which the one `writer` commits.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tracing::{Instrument, Span, field};

use crate::domain::{DeliveryOutcome, Event, QuarantineReason};
use crate::metrics::{DELIVERIES, UNAVAILABLE};
use crate::store::webhooks::HookToken;
use crate::vendor::envelope::Envelope;

pub mod clocks;
pub mod group;
pub mod hook_tokens;
pub mod normalise;
pub mod rebuild;
pub mod record;
pub mod recount;
pub mod refusals;
pub mod release;
#[cfg(test)]
mod state_model_tests;
pub mod verify;
pub mod writer;

use clocks::ClockWatch;
use hook_tokens::{HookTokens, NotLookedUp};
use normalise::{NormaliseError, normalise};
use record::{NormalisedDelivery, Receipt};
use refusals::Refusals;
use verify::{Candidate, Delivery, Hook, Refusal, Unverified, Verified, Verifier};
use writer::{NotRecorded, Writer};

/// How long a vendor waits for its answer. ArcSite wants it quickly and gives no figure.
pub const ACCEPT_TIMEOUT: Duration = Duration::from_millis(1800);

/// How far a signature's time may be from the time of receipt.
#[derive(Clone, Copy, Debug)]
pub struct SignatureTolerance {
    /// Into the past. It is not documented whether ArcSite signs a retry again.
    pub past: TimeDelta,
    /// Into the future. Clocks differ.
    pub future: TimeDelta,
}

/// Verifies, normalises and records deliveries.
#[derive(Debug)]
pub struct Ingest {
    /// Looks up the tokens of registered webhooks.
    pub hook_tokens: HookTokens,
    /// Checks the senders.
    pub verifier: Verifier,
    /// Checks the age of signatures.
    pub tolerance: SignatureTolerance,
    /// Commits deliveries and events.
    pub writer: Writer,
    /// Watches the clocks of this machine and of the vendors.
    pub clocks: ClockWatch,
    /// Notes the refusals of each vendor.
    pub refusals: Refusals,
}

/// Why a delivery got no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The sender is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The delivery was not recorded in time. The vendor must send it again.
    #[error("the delivery cannot be recorded right now; send it again")]
    Unavailable,
}

impl Ingest {
    /// Judges a delivery by its hook URL and its signature header, so that the body of a stranger
    /// is not read.
    ///
    /// # Errors
    ///
    /// The delivery is refused, or the token of its hook cannot be looked up in time.
    pub async fn judge_head(&self, hook: Hook, signature: Option<String>) -> Result<Candidate, IngestError> {
        let provider = hook.provider().as_str();
        let judged = async {
            let registered = self.find_hook_token(&hook).await?;
            Ok(self.verifier.judge_head(hook, signature, registered)?)
        };
        let judged = judged.instrument(tracing::info_span!("delivery", provider));
        let judged = tokio::time::timeout(ACCEPT_TIMEOUT, judged).await.unwrap_or(Err(IngestError::Unavailable));
        if judged.as_ref().is_err_and(|error| *error == IngestError::Unavailable) {
            metrics::counter!(UNAVAILABLE, "provider" => provider).increment(1);
        }
        judged
    }

    /// Takes in a delivery. A receipt means that it is on disk.
    ///
    /// # Errors
    ///
    /// After an [`IngestError`] the delivery may still be recorded, if its transaction had begun
    /// and missed the deadline. The vendor's retry is then a redelivery, as after a lost answer.
    pub async fn accept(&self, delivery: Delivery<Unverified>) -> Result<Receipt, IngestError> {
        let provider = delivery.provider().as_str();
        let span =
            tracing::info_span!("delivery", provider, id = field::Empty, outcome = field::Empty, event = field::Empty);
        let accepted = self.accept_without_deadline(delivery).instrument(span);
        match tokio::time::timeout(ACCEPT_TIMEOUT, accepted).await {
            Ok(Err(IngestError::Unavailable)) | Err(_) => {
                metrics::counter!(UNAVAILABLE, "provider" => provider).increment(1);
                Err(IngestError::Unavailable)
            }
            Ok(result @ (Ok(_) | Err(IngestError::Refused(_)))) => result,
        }
    }

    async fn accept_without_deadline(&self, delivery: Delivery<Unverified>) -> Result<Receipt, IngestError> {
        let provider = delivery.provider();
        let delivery = self.verifier.verify(delivery)?;
        if let Some(t) = delivery.signed_at() {
            self.clocks.observe_signature(t, delivery.received_at());
        }
        let event = self
            .check_signature_age(&delivery)
            .and_then(|()| delivery.text())
            .and_then(|text| normalise(delivery.provider(), text));
        match &event {
            Ok(Event { unread: Some(unread), .. }) => tracing::warn!(detail = unread, "fields of a delivery left out"),
            Ok(_) => {}
            Err(error) => tracing::warn!(reason = %error.reason, detail = error.detail, "delivery quarantined"),
        }
        let is_dated_ahead = event.as_ref().is_ok_and(|event| event.is_dated_ahead(delivery.received_at()));
        let recorded = self.writer.record(NormalisedDelivery { delivery, event }).await;
        let receipt = recorded.map_err(|NotRecorded| IngestError::Unavailable)?;
        metrics::counter!(DELIVERIES, "provider" => provider.as_str(), "outcome" => receipt.outcome.as_str())
            .increment(1);
        let span = Span::current();
        span.record("id", receipt.delivery).record("outcome", receipt.outcome.as_str());
        if let Some(seq) = receipt.event {
            span.record("event", seq.0);
        }
        if is_dated_ahead && receipt.outcome == DeliveryOutcome::Accepted {
            self.clocks.record_time_ahead(provider);
        }
        // The line of a quarantined one is the warning above.
        if receipt.outcome != DeliveryOutcome::Quarantined {
            tracing::info!("delivery recorded");
        }
        Ok(receipt)
    }

    /// Looks up a hook's token, if a webhook that was registered here may own it.
    async fn find_hook_token(&self, hook: &Hook) -> Result<Option<HookToken>, IngestError> {
        let Some(hash) = self.verifier.token_hash_for_lookup(hook) else { return Ok(None) };
        self.hook_tokens.find(hash).await.map_err(|NotLookedUp| IngestError::Unavailable)
    }

    /// A valid signature with a stale time is quarantined, not refused. It may be a retry that was
    /// not signed again.
    fn check_signature_age(&self, delivery: &Delivery<Verified>) -> Result<(), NormaliseError> {
        let Some(seconds) = delivery.signed_at() else { return Ok(()) };
        let age = DateTime::from_timestamp(seconds, 0)
            .map(|signed_at| delivery.received_at().signed_duration_since(signed_at));
        if age.is_some_and(|age| age <= self.tolerance.past && age >= -self.tolerance.future) {
            return Ok(());
        }
        Err(NormaliseError {
            reason: QuarantineReason::StaleSignature,
            detail: format!(
                "the signature is valid, but its time {seconds} is more than {} s before or {} s after the time of receipt, {}",
                self.tolerance.past.num_seconds(),
                self.tolerance.future.num_seconds(),
                delivery.received_at().timestamp(),
            ),
            vendor_type: delivery.text().ok().and_then(|text| Some(Envelope::parse(text).ok()?.event)),
        })
    }
}
