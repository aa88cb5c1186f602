//! Events.

use entity::event::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{EventFilter, Page, Window, named, optional_id, optional_time, page, time};
use crate::clock::Time;
use crate::domain::{EventKind, ProposalStatus, Provider, References, Seq};
use crate::store::StoreError;

/// An event of the log.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its place.
    pub seq: Seq,
    /// Who sent it.
    pub provider: Provider,
    /// What happened.
    pub kind: EventKind,
    /// The vendor's own name it first arrived under.
    pub vendor_type: String,
    /// A proposal's status, as this event gave it.
    pub status: Option<ProposalStatus>,
    /// The vendor's time of it.
    pub occurred_at: Option<Time>,
    /// When its first delivery came.
    pub received_at: Time,
    /// What it belongs to, as known when it was recorded.
    pub references: References,
    /// The body of its first delivery.
    pub body: String,
}

impl TryFrom<Model> for EventRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            seq: Seq(row.seq),
            provider: named(&row.provider, Provider::from_name)?,
            kind: named(&row.kind, EventKind::from_name)?,
            vendor_type: row.vendor_type,
            status: row.status.map(|status| named(&status, ProposalStatus::from_name)).transpose()?,
            occurred_at: optional_time(row.occurred_at)?,
            received_at: time(row.received_at)?,
            references: References {
                proposal: optional_id(row.proposal_vendor_id),
                client: optional_id(row.client_vendor_id),
                project: optional_id(row.project_vendor_id),
                drawing: optional_id(row.drawing_vendor_id),
            },
            body: row.body,
        })
    }
}

fn rows(models: Vec<Model>) -> Result<Vec<EventRow>, StoreError> {
    models.into_iter().map(EventRow::try_from).collect()
}

/// The events at these places, in no order.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_seqs<C: ConnectionTrait>(db: &C, seqs: &[Seq]) -> Result<Vec<EventRow>, StoreError> {
    rows(Entity::find().filter(Column::Seq.is_in(seqs.iter().map(|seq| seq.0))).all(db).await?)
}

/// The next events past a place that match, oldest first, at most `limit`.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn after<C: ConnectionTrait>(
    db: &C,
    filter: &EventFilter,
    after: Seq,
    up_to: Seq,
    limit: u64,
) -> Result<Vec<EventRow>, StoreError> {
    let events = Entity::find()
        .filter(Column::Seq.gt(after.0))
        .filter(Column::Seq.lte(up_to.0))
        .filter(filter.condition())
        .order_by_asc(Column::Seq)
        .limit(limit);
    rows(events.all(db).await?)
}

/// A window of the history, newest first.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    filter: &EventFilter,
    window: Window,
) -> Result<Page<EventRow>, StoreError> {
    let page = page::read(db, Entity::find().filter(filter.condition()), Column::Seq, window).await?;
    Ok(Page { rows: rows(page.rows)?, has_newer: page.has_newer, has_older: page.has_older })
}

/// How many events match.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn count<C: ConnectionTrait>(db: &C, filter: &EventFilter) -> Result<u64, StoreError> {
    Ok(Entity::find().filter(filter.condition()).count(db).await?)
}
