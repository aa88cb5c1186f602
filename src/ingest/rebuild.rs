//! Rebuilding the projections from the log with today's code, in one transaction: whoever interrupts it finds everything as it
//! was. Events keep what was written on their own rows.

use super::normalise::normalise;
use super::record::order_key;
use crate::domain::{Change, Event, EventKind, Seq};
use crate::store::log::{self, Entry, StoredEvent};
use crate::store::projection::{self, Projections};
use crate::store::{BulkInsert, Store, StoreError, Transaction};

/// How many events are read at once, bodies and all.
const REBUILD_PAGE_SIZE: u64 = 100;
/// How many bytes of bodies are gone through at once: what becomes of them may be many times as long. (Fewer where it is tested what
/// happens past them.)
const CHUNK_BYTES_MAX: usize = if cfg!(test) { 500 } else { 2 * 1024 * 1024 };

/// How far a rebuild has come, or came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Events gone through.
    pub done: u64,
    /// Events that there are.
    pub total: u64,
    /// Events that today's code reads otherwise than the code that recorded them, and that changed nothing.
    pub skipped: u64,
}

/// Empties the projections and goes through the log again. `report` is told after every page.
///
/// # Errors
///
/// Where the database refuses a value or is not available; nothing has changed then.
pub async fn rebuild(store: &Store, mut report: impl FnMut(RebuildProgress)) -> Result<RebuildProgress, StoreError> {
    let tx = store.begin_maintenance().await?;
    projection::clear(&tx).await?;
    let mut progress = RebuildProgress { total: log::count(&tx).await?, ..RebuildProgress::default() };
    let mut at = Seq(0);
    loop {
        let page = log::stored_events_after(&tx, at, REBUILD_PAGE_SIZE).await?;
        let Some(last) = page.last() else { break };
        at = last.seq;
        let mut bytes = 0;
        let parts = page.chunk_by(|recorded, _| {
            bytes += recorded.body.len();
            let goes_on = bytes < CHUNK_BYTES_MAX;
            if !goes_on {
                bytes = 0;
            }
            goes_on
        });
        for part in parts {
            progress.skipped += apply(&tx, part).await?;
            progress.done += part.len() as u64;
        }
        report(progress);
    }
    store.commit(tx, None).await?;
    Ok(progress)
}

/// Applies events again. Gives how many could not be.
async fn apply(tx: &Transaction, page: &[StoredEvent]) -> Result<u64, StoreError> {
    let events: Vec<(&StoredEvent, Event)> =
        page.iter().filter_map(|recorded| Some((recorded, renormalise(recorded)?))).collect();
    let mut projections = Projections::default();
    projections.fetch(tx, &events.iter().map(|(_, event)| event).collect::<Vec<_>>()).await?;
    for (recorded, event) in &events {
        let entry = Entry {
            seq: recorded.seq,
            event,
            received_at: recorded.received_at,
            signed_at: recorded.signed_at,
            order_key: order_key(event, recorded.signed_at, recorded.received_at),
            body: &recorded.body,
        };
        projections.apply(tx, &entry).await?;
    }
    projections.write(tx, BulkInsert::default()).await?;
    Ok((page.len() - events.len()) as u64)
}

/// What an event says in today's code, if that is what it said when it was recorded.
fn renormalise(recorded: &StoredEvent) -> Option<Event> {
    let mut event = normalise(recorded.provider, recorded.body.as_bytes())
        .inspect_err(|unfit| {
            tracing::warn!(
                event = recorded.seq.0,
                detail = unfit.detail,
                "an event's payload does not fit its type any more"
            );
        })
        .ok()?;
    if event.kind != recorded.kind {
        // An unrecognized event keeps its kind, whatever is known of its type by now.
        if recorded.kind != EventKind::Unrecognized {
            tracing::warn!(event = recorded.seq.0, was = %recorded.kind, now = %event.kind, "an event would be of another kind today");
            return None;
        }
        event.change = Change::Nothing;
    }
    event.references = recorded.references.clone();
    Some(event)
}
