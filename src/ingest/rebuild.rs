//! Rebuilding the projections from the log with today's code. It runs in one transaction, so an
//! interrupted rebuild changes nothing. The events themselves stay as they were recorded, except
//! for the columns that the projections give them. The table of files stays too: it says what was
//! fetched and stored, which no log can tell.

use std::collections::BTreeMap;

use super::normalise::normalise_recorded;
use crate::domain::{Change, Event, EventKind, Seq};
use crate::store::log::{self, Derived, StoredEvent};
use crate::store::projection::{self, Projections};
use crate::store::{BulkInsert, Store, StoreError, Transaction, deliveries};
use crate::vendor::content;

/// How many events are read at once, with their bodies. (Fewer in tests, so that they reach the
/// limit.)
const REBUILD_PAGE_SIZE: u64 = if cfg!(test) { 8 } else { 100 };
/// How many bytes of bodies are applied at once. The rows made from them may be many times as long.
/// Unit tests use less, to reach the limit.
const CHUNK_BYTES_MAX: usize = if cfg!(test) { 500 } else { 2 * 1024 * 1024 };

/// The progress of a rebuild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Events processed.
    pub done: u64,
    /// Events in the log.
    pub total: u64,
    /// Events that were not applied, because today's code reads them differently from the code that
    /// recorded them.
    pub skipped: u64,
}

/// Empties the projections and makes them again from the log. Calls `report` after every page.
///
/// # Errors
///
/// After an error nothing has changed.
pub async fn rebuild(store: &Store, mut report: impl FnMut(RebuildProgress)) -> Result<RebuildProgress, StoreError> {
    let tx = store.begin_maintenance().await?;
    projection::clear(&tx).await?;
    let mut progress = RebuildProgress { total: log::count(&tx).await?, ..RebuildProgress::default() };
    let mut position = Seq(0);
    loop {
        let page = log::stored_events_after(&tx, position, REBUILD_PAGE_SIZE).await?;
        let Some(last) = page.last() else { break };
        position = last.seq;
        let mut bytes = 0;
        let chunks = page.chunk_by(|stored, _| {
            bytes += stored.body.len();
            let fits = bytes < CHUNK_BYTES_MAX;
            if !fits {
                bytes = 0;
            }
            fits
        });
        for chunk in chunks {
            progress.skipped += apply(&tx, chunk).await?;
            progress.done += chunk.len() as u64;
        }
        report(progress);
    }
    store.commit(tx, None).await?;
    Ok(progress)
}

/// Applies events and returns how many were skipped.
async fn apply(tx: &Transaction, page: &[StoredEvent]) -> Result<u64, StoreError> {
    let events: Vec<(&StoredEvent, Event)> =
        page.iter().filter_map(|stored| Some((stored, renormalise(stored)?))).collect();
    let mut projections = Projections::default();
    projections.fetch(tx, &events.iter().map(|(_, event)| event).collect::<Vec<_>>()).await?;
    let seqs = page.first().map_or(0, |first| first.seq.0)..=page.last().map_or(0, |last| last.seq.0);
    let mut derived = BTreeMap::new();
    let mut renewals = deliveries::link_renewals(tx, seqs).await?.into_iter().peekable();
    for (stored, event) in &events {
        // A skipped event has no state, but the links that were renewed after it may be another's.
        while let Some((delivery, _)) = renewals.next_if(|(_, after)| *after < stored.seq) {
            renew_links(tx, &mut projections, delivery).await?;
        }
        let made = projections.apply(tx, &stored.entry(event)).await?;
        derived.insert(stored.seq, made);
    }
    for (delivery, _) in renewals {
        renew_links(tx, &mut projections, delivery).await?;
    }
    projections.write(tx, BulkInsert::default()).await?;
    // A skipped event gives its proposal nothing, and gets nothing.
    let made = page.iter().map(|stored| (stored, derived.remove(&stored.seq).unwrap_or_default()));
    let changed = made.filter(|(stored, made)| stored.derived.as_ref() != Some(made));
    let changed: Vec<(Seq, Derived)> = changed.map(|(stored, made)| (stored.seq, made)).collect();
    log::write_derived(tx, &changed).await?;
    Ok((page.len() - events.len()) as u64)
}

/// Renews links as a redelivery did when it was recorded.
async fn renew_links(tx: &Transaction, projections: &mut Projections, delivery: i64) -> Result<(), StoreError> {
    let Some((provider, headers, body)) = deliveries::content(tx, delivery).await? else { return Ok(()) };
    let event = content::decode(&headers, &body).ok().and_then(|text| normalise_recorded(provider, &text).ok());
    if let Some(event) = event {
        projections.renew_links(tx, &event.change).await?;
    }
    Ok(())
}

/// Normalises a stored event with today's code. None if that code rejects it or gives it another
/// kind.
pub(super) fn renormalise(stored: &StoredEvent) -> Option<Event> {
    let mut event = normalise_recorded(stored.provider, &stored.body)
        .inspect_err(|error| {
            tracing::warn!(
                event = stored.seq.0,
                detail = error.detail,
                "event skipped: today's code rejects its payload"
            );
        })
        .ok()?;
    if event.kind != stored.kind {
        // An unrecognized event keeps its kind, even if today's code knows its type.
        if stored.kind != EventKind::Unrecognized {
            tracing::warn!(event = stored.seq.0, was = %stored.kind, now = %event.kind, "event skipped: today's code gives it another kind");
            return None;
        }
        event.change = Change::Nothing;
    }
    event.references = stored.references.clone();
    event.distrust_time_ahead(stored.received_at);
    Some(event)
}
