//! The deliveries. Every delivery that was answered 200 has one row.

use entity::{delivery, event};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::sql::convert::{from_micros, to_micros};
use super::{BulkInsert, StoreError};
use crate::clock::Time;
use crate::domain::{DeliveryOutcome, Provider, QuarantineReason, Seq};

/// A delivery to store.
#[derive(Debug)]
pub struct NewDelivery<'a> {
    /// Its number: the newest delivery's plus one, assigned under the write lock.
    pub id: i64,
    /// The vendor that sent it.
    pub provider: Provider,
    /// The vendor's type of the event, if it could be read.
    pub vendor_type: Option<&'a str>,
    /// When it was received.
    pub received_at: Time,
    /// The signed time `t` of its signature, in seconds.
    pub signed_at: Option<i64>,
    /// Its outcome.
    pub outcome: DeliveryOutcome,
    /// Why it is in quarantine, and the details.
    pub quarantine: Option<(QuarantineReason, &'a str)>,
    /// The received bytes, unless the event has an equal body.
    pub body: Option<&'a [u8]>,
    /// The event that it belongs to.
    pub event: Option<Seq>,
}

/// Adds a delivery to the batch.
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

/// When the newest delivery of an event was received.
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

/// The event of this identity that has a delivery with this `t` in its signature.
pub async fn event_signed_at<C: ConnectionTrait>(db: &C, identity: &str, t: i64) -> Result<Option<Seq>, StoreError> {
    let same_identity = event::Entity::find()
        .select_only()
        .column(event::Column::Seq)
        .filter(event::Column::Identity.eq(identity))
        .into_query();
    let seq: Option<Option<i64>> = delivery::Entity::find()
        .select_only()
        .column_as(delivery::Column::EventSeq.max(), "seq")
        .filter(delivery::Column::SignedAt.eq(t))
        .filter(delivery::Column::EventSeq.in_subquery(same_identity))
        .into_tuple()
        .one(db)
        .await?;
    Ok(seq.flatten().map(Seq))
}

/// A delivery that is, or was, in quarantine.
#[derive(Debug)]
pub struct QuarantinedDelivery {
    /// The vendor that sent it.
    pub provider: Provider,
    /// When it was received.
    pub received_at: Time,
    /// The signed time `t` of its signature, in seconds.
    pub signed_at: Option<i64>,
    /// The received bytes; `None` once its event has them.
    pub body: Option<Vec<u8>>,
    /// Whether it is still in quarantine.
    pub is_in_quarantine: bool,
}

/// The delivery of this number, if it is or was in quarantine.
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
                is_in_quarantine: row.outcome == DeliveryOutcome::Quarantined.as_str(),
            })
        })
        .transpose()
}

/// Records the outcome of a released delivery. The reason of its quarantine stays.
pub async fn mark_released<C: ConnectionTrait>(
    db: &C,
    id: i64,
    outcome: DeliveryOutcome,
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
