//! The way of a delivery, on one screen: verify → normalise → record → answer.
//!
//! `verify` proves who sent it, `normalise` says in our words what it says, `record` writes it in one durable
//! transaction through the one `writer`, which wakes the followers of the log.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};

use crate::domain::{Outcome, QuarantineReason};
use crate::metrics::{DELIVERIES, REFUSED, UNAVAILABLE};
use crate::store::webhooks::HookToken;
use crate::store::{Store, webhooks};
use crate::vendor::envelope::Envelope;

pub mod group;
pub mod normalise;
pub mod rebuild;
pub mod record;
pub mod release;
pub mod verify;
pub mod writer;

use normalise::{NormaliseError, normalise};
use record::{NormalisedDelivery, Receipt};
use verify::{Delivery, Refusal, Unverified, Verified, Verifier};
use writer::{NotRecorded, Writer};

/// How long a vendor waits for its answer at most: ArcSite wants it quickly, and does not say how quickly.
pub const ACCEPT_TIMEOUT: Duration = Duration::from_millis(1800);

/// How far a signature's time may lie from ours.
#[derive(Clone, Copy, Debug)]
pub struct SignatureTolerance {
    /// Into the past: it is unknown whether a retry is signed anew.
    pub past: TimeDelta,
    /// Into the future: clocks differ.
    pub future: TimeDelta,
}

/// Takes deliveries in.
#[derive(Debug)]
pub struct Ingest {
    /// Where the tokens of registered webhooks are looked up.
    pub store: Store,
    /// What senders are checked against.
    pub verifier: Verifier,
    /// What signatures' times are checked against.
    pub tolerance: SignatureTolerance,
    /// Who writes.
    pub writer: Writer,
}

/// Why a delivery got no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// It is not let in.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be recorded in time; its vendor is to send it again.
    #[error("the delivery could not be recorded now")]
    Unavailable,
}

impl Ingest {
    /// Takes a delivery in. A receipt means that it is on disk.
    ///
    /// # Errors
    ///
    /// [`IngestError`]; nothing of the delivery is kept then, unless its transaction had begun and was too slow to be waited
    /// for: the vendor's retry finds it recorded, as it does after an answer that was lost on its way.
    pub async fn accept(&self, delivery: Delivery<Unverified>) -> Result<Receipt, IngestError> {
        let provider = delivery.provider().as_str();
        match tokio::time::timeout(ACCEPT_TIMEOUT, self.accept_without_deadline(delivery)).await {
            Ok(Err(IngestError::Unavailable)) | Err(_) => {
                metrics::counter!(UNAVAILABLE, "provider" => provider).increment(1);
                Err(IngestError::Unavailable)
            }
            Ok(answer @ (Ok(_) | Err(IngestError::Refused(_)))) => answer,
        }
    }

    async fn accept_without_deadline(&self, delivery: Delivery<Unverified>) -> Result<Receipt, IngestError> {
        let provider = delivery.provider().as_str();
        let registered = self.find_hook_token(&delivery).await?;
        let delivery = self.verifier.verify(delivery, registered).inspect_err(|refusal| {
            metrics::counter!(REFUSED, "provider" => provider, "reason" => refusal.label()).increment(1);
            tracing::warn!(provider, reason = refusal.label(), "a delivery was refused: {refusal}");
        })?;
        let content =
            self.check_signature_age(&delivery).and_then(|()| normalise(delivery.provider(), delivery.body()));
        if let Err(unfit) = &content {
            tracing::warn!(provider, reason = %unfit.reason, detail = unfit.detail, "a delivery is quarantined");
        }
        let recorded = self.writer.record(NormalisedDelivery { delivery, event: content }).await;
        let receipt = recorded.map_err(|NotRecorded| IngestError::Unavailable)?;
        metrics::counter!(DELIVERIES, "provider" => provider, "outcome" => receipt.outcome.as_str()).increment(1);
        if receipt.outcome != Outcome::Quarantined {
            tracing::debug!(provider, outcome = %receipt.outcome, event = receipt.event.map(|seq| seq.0), "recorded");
        }
        Ok(receipt)
    }

    /// What is known of a delivery's token, where that may be of a webhook registered from here.
    async fn find_hook_token(&self, delivery: &Delivery<Unverified>) -> Result<Option<HookToken>, IngestError> {
        let Some(hash) = self.verifier.token_hash_for_lookup(delivery) else { return Ok(None) };
        webhooks::by_token(self.store.reserved_reader(), &hash).await.map_err(|error| {
            tracing::error!(%error, "the token of a hook could not be looked up; its vendor is asked to come again");
            IngestError::Unavailable
        })
    }

    /// A right signature of another time is kept aside, not refused: it may be a retry that was not signed anew.
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
                "the signature is right, but its time {seconds} lies more than {} s before or {} s after {}",
                self.tolerance.past.num_seconds(),
                self.tolerance.future.num_seconds(),
                delivery.received_at().timestamp(),
            ),
            vendor_type: Envelope::parse(delivery.body()).ok().map(|envelope| envelope.event),
        })
    }
}
