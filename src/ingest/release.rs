//! Running a quarantined delivery through today's code again. Its age does not matter any more: an operator has looked at
//! it. It keeps the time at which it came, and the reason why it was in quarantine.

use super::group::CommitGroup;
use super::normalise::normalise;
use super::record::{DedupWindowLengths, Receipt, append_or_match};
use super::verify::Delivery;
use crate::feed::FollowerWaker;
use crate::store::{Store, StoreError, deliveries};

/// Takes deliveries out of quarantine.
#[derive(Clone, Debug)]
pub struct Releaser {
    store: Store,
    windows: DedupWindowLengths,
    waker: FollowerWaker,
}

/// What became of the wish to release a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseResult {
    /// It made an event, or is one more delivery of one.
    Released(Receipt),
    /// It was released before.
    AlreadyReleased,
    /// No such delivery is in quarantine.
    NotFound,
    /// It still cannot be turned into an event, for this reason.
    StillInvalid(String),
}

impl Releaser {
    /// A releaser that wakes the followers of what it appends to the log.
    #[must_use]
    pub const fn new(store: Store, windows: DedupWindowLengths, waker: FollowerWaker) -> Self {
        Self { store, windows, waker }
    }

    /// Releases the delivery of this number.
    ///
    /// # Errors
    ///
    /// Where the database is not available.
    pub async fn release(&self, id: i64) -> Result<ReleaseResult, StoreError> {
        let tx = self.store.begin().await?;
        let Some(found) = deliveries::find_quarantined(&tx, id).await? else { return Ok(ReleaseResult::NotFound) };
        let body = match found.body {
            Some(body) if found.is_in_quarantine => body,
            _ => return Ok(ReleaseResult::AlreadyReleased),
        };
        let delivery = Delivery::from_quarantine(found.provider, found.received_at, found.signed_at, body);
        let event = match normalise(delivery.provider(), delivery.body()) {
            Ok(event) => event,
            Err(unfit) => return Ok(ReleaseResult::StillInvalid(unfit.detail)),
        };
        let vendor_type = event.vendor_type.clone();
        let recorded = async {
            let mut group = CommitGroup::begin(tx, &[]).await?;
            let placed = append_or_match(&mut group, &delivery, event, self.windows).await?;
            Ok((placed, group.flush().await?))
        };
        let (placed, written) = match recorded.await {
            Ok(recorded) => recorded,
            Err(error @ (StoreError::Refused(_) | StoreError::Unreadable(_))) => {
                tracing::error!(%error, delivery = id, "a released delivery cannot be recorded");
                let problem = "the database does not take a value of this payload; the service's log says which";
                return Ok(ReleaseResult::StillInvalid(problem.to_owned()));
            }
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
        };
        deliveries::mark_released(&written.tx, id, placed.outcome, &vendor_type, placed.seq, placed.body_differs)
            .await?;
        self.waker.wake(written.commit(&self.store).await?);
        tracing::info!(delivery = id, event = placed.seq.0, outcome = %placed.outcome, "a delivery was released");
        Ok(ReleaseResult::Released(Receipt { outcome: placed.outcome, event: Some(placed.seq) }))
    }
}
