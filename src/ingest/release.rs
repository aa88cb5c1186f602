//! Releasing quarantined deliveries: running them through today's code again. Their age is not
//! checked, because an operator has looked at them. They keep their time of receipt and the reason
//! for their quarantine.

use std::time::{Duration, Instant};

use super::clocks::ClockWatch;
use super::group::CommitGroup;
use super::normalise::normalise;
use super::record::{DedupWindowLengths, NormalisedDelivery, Receipt, Recorded, append_or_match};
use super::verify::Delivery;
use super::writer::GROUP_DURATION_MAX;
use crate::auth::MutationAudit;
use crate::domain::{DeliveryOutcome, NodeId};
use crate::store::deliveries::{QuarantinedDelivery, Release};
use crate::store::files::FileRecording;
use crate::store::read::DeliveryFilter;
use crate::store::{Store, StoreError, Transaction, deliveries};

/// How many deliveries one call releases. A client repeats the call for the rest.
pub const RELEASES_MAX: u64 = 1000;
/// How long one call works. Deliveries that stay invalid are not limited in number, so that many of
/// them do not keep a call from those behind them.
const RELEASES_DURATION_MAX: Duration = Duration::from_secs(10);
/// How many deliveries one transaction reads, with their bodies of up to a megabyte.
const PAGE_SIZE: u64 = 50;
/// How many of the deliveries that are still invalid a call names.
const PROBLEMS_MAX: usize = 20;

/// Releases quarantined deliveries.
#[derive(Clone, Debug)]
pub struct Releaser {
    store: Store,
    windows: DedupWindowLengths,
    recording: FileRecording,
    clocks: ClockWatch,
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

/// The result of a release of all matching deliveries. Each of them is counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchingReleases {
    /// How many were released.
    pub released: u64,
    /// How many still cannot become an event.
    pub still_invalid: u64,
    /// The ids of the first 20 of these, with the reasons.
    pub problems: Vec<(i64, String)>,
    /// How many were not tried.
    pub remaining: u64,
}

impl Releaser {
    /// A releaser of this database.
    #[must_use]
    pub const fn new(store: Store, windows: DedupWindowLengths, recording: FileRecording, clocks: ClockWatch) -> Self {
        Self { store, windows, recording, clocks }
    }

    /// Releases the delivery with this id.
    pub async fn release(&self, id: i64, audit: &MutationAudit) -> Result<ReleaseResult, StoreError> {
        let tx = self.store.begin().await?;
        let Some(found) = deliveries::find_quarantined(&tx, id).await? else { return Ok(ReleaseResult::NotFound) };
        if !found.is_in_quarantine {
            return Ok(ReleaseResult::AlreadyReleased);
        }
        match self.release_found(tx, vec![found], audit).await {
            Ok(results) => Ok(results.into_iter().next().map_or(ReleaseResult::NotFound, |(_, result)| result)),
            Err(error @ (StoreError::Refused(_) | StoreError::Unreadable(_))) => {
                tracing::error!(%error, delivery = id, "failed to record a released delivery");
                let problem = "the database rejected a value in this payload; see the service's log";
                Ok(ReleaseResult::StillInvalid(problem.to_owned()))
            }
            Err(error @ (StoreError::Unavailable(_) | StoreError::OverBudget)) => Err(error),
        }
    }

    /// Releases the deliveries in quarantine that match, oldest first, at most [`RELEASES_MAX`].
    ///
    /// # Errors
    ///
    /// After an error some may be released. The call can be repeated.
    pub async fn release_matching(
        &self,
        filter: &DeliveryFilter,
        audit: &MutationAudit,
    ) -> Result<MatchingReleases, StoreError> {
        let started = Instant::now();
        let (mut releases, mut last) = (MatchingReleases::default(), 0);
        while releases.released < RELEASES_MAX && started.elapsed() < RELEASES_DURATION_MAX {
            let limit = PAGE_SIZE.min(RELEASES_MAX - releases.released);
            let tx = self.store.begin().await?;
            let found = deliveries::quarantined_after(&tx, filter, last, limit).await?;
            if found.is_empty() {
                break;
            }
            let ids: Vec<i64> = found.iter().map(|found| found.id).collect();
            let results = match self.release_found(tx, found, audit).await {
                Err(StoreError::Refused(_) | StoreError::Unreadable(_)) => self.release_each(ids, audit).await?,
                results => results?,
            };
            for (id, result) in results {
                last = id;
                match result {
                    ReleaseResult::Released(_) => releases.released += 1,
                    ReleaseResult::StillInvalid(detail) => {
                        releases.still_invalid += 1;
                        if releases.problems.len() < PROBLEMS_MAX {
                            releases.problems.push((id, detail));
                        }
                    }
                    // Another call released it meanwhile.
                    ReleaseResult::AlreadyReleased | ReleaseResult::NotFound => {}
                }
            }
        }
        releases.remaining = deliveries::count_quarantined_after(self.store.reader(), filter, last).await?;
        Ok(releases)
    }

    /// Releases each delivery in its own transaction, after one of them failed their common one.
    async fn release_each(
        &self,
        ids: Vec<i64>,
        audit: &MutationAudit,
    ) -> Result<Vec<(i64, ReleaseResult)>, StoreError> {
        let mut results = Vec::with_capacity(ids.len());
        for id in ids {
            results.push((id, self.release(id, audit).await?));
        }
        Ok(results)
    }

    /// Releases these deliveries in one transaction, as many as there is time for, and commits it.
    async fn release_found(
        &self,
        tx: Transaction,
        found: Vec<QuarantinedDelivery>,
        audit: &MutationAudit,
    ) -> Result<Vec<(i64, ReleaseResult)>, StoreError> {
        let incoming: Vec<(i64, Option<String>, NormalisedDelivery)> = found
            .into_iter()
            .map(|found| {
                let content = (found.headers, found.body.unwrap_or_default());
                let delivery = Delivery::from_quarantine(found.provider, found.received_at, found.signed_at, content);
                let event = delivery.text().and_then(|text| normalise(delivery.provider(), text));
                (found.id, found.detail, NormalisedDelivery { delivery, event })
            })
            .collect();
        let started = Instant::now();
        let of_group: Vec<&NormalisedDelivery> = incoming.iter().map(|(.., incoming)| incoming).collect();
        let mut group = CommitGroup::begin(tx, &of_group, self.recording).await?;
        let mut results = Vec::with_capacity(incoming.len());
        for (id, detail, NormalisedDelivery { delivery, event }) in &incoming {
            let result = match event {
                Ok(event) => {
                    let recorded = append_or_match(&mut group, delivery, event.clone(), self.windows).await?;
                    // The next delivery of the group may repeat this one, so its row must say so.
                    let release = Release {
                        outcome: recorded.outcome,
                        vendor_type: &event.vendor_type,
                        event: recorded.seq,
                        keeps_body: recorded.body_differs,
                        detail: event.unread.as_ref().map(|unread| match detail {
                            Some(detail) => format!("{detail}; {unread}"),
                            None => unread.clone(),
                        }),
                        links_renewed_after: recorded.links_renewed_after,
                    };
                    deliveries::mark_released(&group.tx, *id, release).await?;
                    let Recorded { outcome, seq, .. } = recorded;
                    ReleaseResult::Released(Receipt { outcome, delivery: *id, event: Some(seq) })
                }
                Err(error) => ReleaseResult::StillInvalid(error.detail.clone()),
            };
            results.push((*id, result));
            if started.elapsed() >= GROUP_DURATION_MAX {
                break;
            }
        }
        let released: Vec<String> = results.iter().filter_map(show_release).collect();
        if !released.is_empty() {
            audit.record(&group.tx, &released.join(", ")).await?;
        }
        group.flush().await?.commit(&self.store).await?;
        for ((.., incoming), (id, result)) in incoming.iter().zip(&results) {
            let ReleaseResult::Released(receipt) = result else { continue };
            let event = receipt.event.map(|seq| seq.0);
            tracing::info!(delivery = id, event, outcome = %receipt.outcome, "delivery released");
            let arrival = incoming.delivery.received_at();
            if receipt.outcome == DeliveryOutcome::Accepted
                && incoming.event.as_ref().is_ok_and(|event| event.is_dated_ahead(arrival))
            {
                self.clocks.record_time_ahead(incoming.delivery.provider());
            }
        }
        Ok(results)
    }
}

/// A delivery that was released, and its event.
fn show_release((id, result): &(i64, ReleaseResult)) -> Option<String> {
    let ReleaseResult::Released(receipt) = result else { return None };
    Some(match receipt.event {
        Some(seq) => format!("{} as {}", NodeId::Delivery(*id), NodeId::Event(seq)),
        None => NodeId::Delivery(*id).to_string(),
    })
}
