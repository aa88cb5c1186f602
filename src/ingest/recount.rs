//! Counts the events that are not counted in their proposals: those of before the migration, and
//! those that a node of the version before records beside this one.
//!
//! A proposal with such an event is counted again as a whole, from its first event on, so the
//! result is that of a rebuild. A few events are counted in each transaction, under the write lock.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, sleep};

use super::rebuild::renormalise;
use crate::domain::{Provider, Seq, VendorId};
use crate::store::log;
use crate::store::projection::ProposalRecount;
use crate::store::tenths::Tenths;
use crate::store::{Store, StoreError, Transaction};

/// How often the service looks for events that are not counted.
const INTERVAL: Duration = Duration::from_secs(5);
/// How many events choose the proposals of one transaction. (Fewer in tests, so that they reach the
/// limit.)
const BATCH_EVENTS: u64 = if cfg!(test) { 3 } else { 100 };
/// How long a transaction begins with further proposals. The writer waits for its lock meanwhile.
const BATCH_DURATION_MAX: Duration = Duration::from_millis(50);
/// How many events of a proposal are read at once, with their bodies. (Fewer in tests.)
const PAGE_SIZE: u64 = if cfg!(test) { 3 } else { 100 };

/// Counts events that are not counted, for as long as it is polled.
pub async fn run_counting_loop(store: Store) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(error) = count_events(&store).await {
            tracing::debug!(%error, "some events are not counted in their proposals yet");
        }
    }
}

/// Counts all events that are not counted.
pub(super) async fn count_events(store: &Store) -> Result<(), StoreError> {
    if log::uncounted_proposals(store.reserved_reader(), 1).await?.is_empty() {
        return Ok(());
    }
    let mut progress = Tenths::new(log::count_uncounted(store.reserved_reader()).await?, BATCH_EVENTS);
    loop {
        let tx = store.begin().await?;
        let proposals = log::uncounted_proposals(&tx, BATCH_EVENTS).await?;
        if proposals.is_empty() {
            tx.rollback().await?;
            tracing::info!(events = progress.done, "counted the events of proposals");
            return Ok(());
        }
        let (mut counted, began_at) = (0, Instant::now());
        for (provider, proposal) in &proposals {
            counted += recount(&tx, *provider, proposal).await?;
            if began_at.elapsed() > BATCH_DURATION_MAX {
                break;
            }
        }
        store.commit(tx, None).await?;
        // Deliveries have the lock at least as long.
        sleep(began_at.elapsed()).await;
        if progress.advance(counted) {
            tracing::info!(done = progress.done, total = progress.total, "counting the events of proposals");
        }
    }
}

/// Counts all events of a proposal. Returns how many were not counted.
async fn recount(tx: &Transaction, provider: Provider, proposal: &VendorId) -> Result<u64, StoreError> {
    let (mut counted, mut position, mut newly_counted) = (ProposalRecount::default(), Seq(0), 0);
    loop {
        let page = log::stored_events_of_proposal(tx, (provider, proposal), position, PAGE_SIZE).await?;
        let Some(last) = page.last() else { break };
        position = last.seq;
        let mut changed = Vec::new();
        for stored in &page {
            let derived = match renormalise(stored) {
                Some(event) => counted.count(&stored.entry(&event))?,
                None => log::Derived::default(),
            };
            newly_counted += u64::from(stored.derived.is_none());
            if stored.derived.as_ref() != Some(&derived) {
                changed.push((stored.seq, derived));
            }
        }
        log::write_derived(tx, &changed).await?;
        if u64::try_from(page.len()).is_ok_and(|length| length < PAGE_SIZE) {
            break;
        }
    }
    counted.write(tx).await?;
    Ok(newly_counted)
}
