//! Releasing a quarantined delivery: running it through today's code again. Its age is not checked,
//! because an operator has looked at it. It keeps its time of receipt and the reason for its
//! quarantine.

use super::group::CommitGroup;
use super::normalise::normalise;
use super::record::{DedupWindowLengths, Receipt, append_or_match};
use super::verify::Delivery;
use crate::store::deliveries::Release;
use crate::store::{Store, StoreError, deliveries};

/// Releases quarantined deliveries.
#[derive(Clone, Debug)]
pub struct Releaser {
    store: Store,
    windows: DedupWindowLengths,
}

/// The result of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseResult {
    /// The delivery made an event, or is a redelivery of one.
    Released(Receipt),
    /// The delivery was released before.
    AlreadyReleased,
    /// No delivery with this id is in quarantine.
    NotFound,
    /// The delivery still cannot become an event, for this reason.
    StillInvalid(String),
}

impl Releaser {
    /// A releaser of this database.
    #[must_use]
    pub const fn new(store: Store, windows: DedupWindowLengths) -> Self {
        Self { store, windows }
    }

    /// Releases the delivery with this id.
    pub async fn release(&self, id: i64) -> Result<ReleaseResult, StoreError> {
        let tx = self.store.begin().await?;
        let Some(found) = deliveries::find_quarantined(&tx, id).await? else { return Ok(ReleaseResult::NotFound) };
        let body = match found.body {
            Some(body) if found.is_in_quarantine => body,
            _ => return Ok(ReleaseResult::AlreadyReleased),
        };
        let content = (found.headers, body);
        let delivery = Delivery::from_quarantine(found.provider, found.received_at, found.signed_at, content);
        let event = match delivery.text().and_then(|text| normalise(delivery.provider(), text)) {
            Ok(event) => event,
            Err(error) => return Ok(ReleaseResult::StillInvalid(error.detail)),
        };
        let (vendor_type, unread) = (event.vendor_type.clone(), event.unread.clone());
        let recording = async {
            let mut group = CommitGroup::begin(tx, &[]).await?;
            let recorded = append_or_match(&mut group, &delivery, event, self.windows).await?;
            Ok((recorded, group.flush().await?))
        };
        let (recorded, group) = match recording.await {
            Ok(result) => result,
            Err(error @ (StoreError::Refused(_) | StoreError::Unreadable(_))) => {
                tracing::error!(%error, delivery = id, "failed to record a released delivery");
                let problem = "the database rejected a value in this payload; see the service's log";
                return Ok(ReleaseResult::StillInvalid(problem.to_owned()));
            }
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
        };
        let release = Release {
            outcome: recorded.outcome,
            vendor_type: &vendor_type,
            event: recorded.seq,
            keeps_body: recorded.body_differs,
            detail: unread
                .map(|unread| [found.detail, Some(unread)].into_iter().flatten().collect::<Vec<_>>().join("; ")),
            links_renewed_after: recorded.links_renewed_after,
        };
        deliveries::mark_released(&group.tx, id, release).await?;
        group.commit(&self.store).await?;
        tracing::info!(delivery = id, event = recorded.seq.0, outcome = %recorded.outcome, "delivery released");
        Ok(ReleaseResult::Released(Receipt { outcome: recorded.outcome, delivery: id, event: Some(recorded.seq) }))
    }
}
