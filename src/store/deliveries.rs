//! Every delivery that was answered 200 has a row here.

use entity::{delivery, event};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::sql::convert::{from_micros, to_micros};
use super::{BulkInsert, StoreError};
use crate::clock::Time;
use crate::domain::{Outcome, Provider, QuarantineReason, Seq};

/// A delivery to be kept.
#[derive(Debug)]
pub struct NewDelivery<'a> {
    /// Its number: one more than the newest, given under the write lock.
    pub id: i64,
    /// Who sent it.
    pub provider: Provider,
    /// The vendor's name of its event's type, where it could be read.
    pub vendor_type: Option<&'a str>,
    /// When it came.
    pub received_at: Time,
    /// The `t` of its signature.
    pub signed_at: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is in quarantine, and what exactly is wrong.
    pub quarantine: Option<(QuarantineReason, &'a str)>,
    /// Its bytes, where no event holds the same.
    pub body: Option<&'a [u8]>,
    /// The event it belongs to.
    pub event: Option<Seq>,
}

/// Keeps a delivery; it is there when the batch is written.
pub fn insert(batch: &mut BulkInsert, new: &NewDelivery<'_>) {
    batch.insert(&delivery::Model {
        id: new.id,
        provider: new.provider.as_str().to_owned(),
        vendor_type: new.vendor_type.map(str::to_owned),
        received_at: to_micros(new.received_at),
        signed_at: new.signed_at,
        outcome: new.outcome.as_str().to_owned(),
        quarantine_reason: new.quarantine.map(|(reason, _)| reason.as_str().to_owned()),
        detail: new.quarantine.map(|(_, detail)| detail.to_owned()),
        body: new.body.map(<[u8]>::to_vec),
        event_seq: new.event.map(|seq| seq.0),
    });
}

/// When an event was last delivered.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn last_received_at<C: ConnectionTrait>(db: &C, seq: Seq) -> Result<Option<Time>, StoreError> {
    let last: Option<Option<i64>> = delivery::Entity::find()
        .select_only()
        .column_as(delivery::Column::ReceivedAt.max(), "last")
        .filter(delivery::Column::EventSeq.eq(seq.0))
        .into_tuple()
        .one(db)
        .await?;
    last.flatten().map(from_micros).transpose()
}

/// The event of this identity that was delivered with this `t` in its signature.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn event_signed_at<C: ConnectionTrait>(db: &C, identity: &str, t: i64) -> Result<Option<Seq>, StoreError> {
    let twins = event::Entity::find()
        .select_only()
        .column(event::Column::Seq)
        .filter(event::Column::Identity.eq(identity))
        .into_query();
    let seq: Option<Option<i64>> = delivery::Entity::find()
        .select_only()
        .column_as(delivery::Column::EventSeq.max(), "seq")
        .filter(delivery::Column::SignedAt.eq(t))
        .filter(delivery::Column::EventSeq.in_subquery(twins))
        .into_tuple()
        .one(db)
        .await?;
    Ok(seq.flatten().map(Seq))
}

/// A delivery that is, or was, in quarantine.
#[derive(Debug)]
pub struct QuarantinedDelivery {
    /// Who sent it.
    pub provider: Provider,
    /// When it came.
    pub received_at: Time,
    /// The `t` of its signature.
    pub signed_at: Option<i64>,
    /// Its bytes; `None` once its event holds them.
    pub body: Option<Vec<u8>>,
    /// Whether it is still there.
    pub is_in_quarantine: bool,
}

/// The delivery of this number, if it is or was in quarantine.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn find_quarantined<C: ConnectionTrait>(db: &C, id: i64) -> Result<Option<QuarantinedDelivery>, StoreError> {
    let found =
        delivery::Entity::find_by_id(id).filter(delivery::Column::QuarantineReason.is_not_null()).one(db).await?;
    found
        .map(|row| {
            let provider = Provider::from_name(&row.provider)
                .ok_or_else(|| StoreError::Unreadable(format!("the provider of delivery {id}")))?;
            Ok(QuarantinedDelivery {
                provider,
                received_at: from_micros(row.received_at)?,
                signed_at: row.signed_at,
                body: row.body,
                is_in_quarantine: row.outcome == Outcome::Quarantined.as_str(),
            })
        })
        .transpose()
}

/// Notes what became of a delivery that has left the quarantine. The reason why it was there stays.
///
/// # Errors
///
/// Where the database is not available.
pub async fn mark_released<C: ConnectionTrait>(
    db: &C,
    id: i64,
    outcome: Outcome,
    vendor_type: &str,
    event: Seq,
    keep_body: bool,
) -> Result<(), StoreError> {
    let mut row = delivery::ActiveModel {
        id: Set(id),
        outcome: Set(outcome.as_str().to_owned()),
        vendor_type: Set(Some(vendor_type.to_owned())),
        event_seq: Set(Some(event.0)),
        ..Default::default()
    };
    if !keep_body {
        row.body = Set(None);
    }
    delivery::Entity::update(row).exec_without_returning(db).await?;
    Ok(())
}
