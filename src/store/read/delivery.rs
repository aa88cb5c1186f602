//! Deliveries.

use entity::delivery::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select};

use super::{Page, Window, named, page, time};
use crate::clock::Time;
use crate::domain::{Outcome, Provider, QuarantineReason, Seq};
use crate::store::StoreError;

/// A delivery that was answered 200.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Its number.
    pub id: i64,
    /// Who sent it.
    pub provider: Provider,
    /// The vendor's name of its event's type, where it could be read.
    pub vendor_type: Option<String>,
    /// When it came.
    pub received_at: Time,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is in quarantine.
    pub quarantine_reason: Option<QuarantineReason>,
    /// What exactly is wrong with it.
    pub detail: Option<String>,
    /// Its bytes, where they are not those of the event's body.
    pub body: Option<Vec<u8>>,
    /// Its event.
    pub event: Option<Seq>,
}

impl TryFrom<Model> for DeliveryRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            provider: named(&row.provider, Provider::from_name)?,
            vendor_type: row.vendor_type,
            received_at: time(row.received_at)?,
            outcome: named(&row.outcome, Outcome::from_name)?,
            quarantine_reason: row
                .quarantine_reason
                .map(|reason| named(&reason, QuarantineReason::from_name))
                .transpose()?,
            detail: row.detail,
            body: row.body,
            event: row.event_seq.map(Seq),
        })
    }
}

fn rows(models: Vec<Model>) -> Result<Vec<DeliveryRow>, StoreError> {
    models.into_iter().map(DeliveryRow::try_from).collect()
}

/// The deliveries with these numbers, in no order.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<DeliveryRow>, StoreError> {
    rows(Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await?)
}

/// All deliveries of these events, in the order in which they were recorded.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn of_events<C: ConnectionTrait>(db: &C, seqs: &[Seq]) -> Result<Vec<DeliveryRow>, StoreError> {
    let deliveries = Entity::find().filter(Column::EventSeq.is_in(seqs.iter().map(|seq| seq.0)));
    rows(deliveries.order_by_asc(Column::Id).all(db).await?)
}

fn in_quarantine() -> Select<Entity> {
    Entity::find().filter(Column::Outcome.eq(Outcome::Quarantined.as_str()))
}

/// A window of the deliveries in quarantine, newest first.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn quarantined<C: ConnectionTrait>(db: &C, window: Window) -> Result<Page<DeliveryRow>, StoreError> {
    let page = page::read(db, in_quarantine(), Column::Id, window).await?;
    Ok(Page { rows: rows(page.rows)?, has_newer: page.has_newer, has_older: page.has_older })
}

/// How many deliveries are in quarantine.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn count_quarantined<C: ConnectionTrait>(db: &C) -> Result<u64, StoreError> {
    Ok(in_quarantine().count(db).await?)
}
