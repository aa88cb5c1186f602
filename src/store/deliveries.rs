//! The deliveries. Every delivery that was answered 200 has one row.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use entity::{delivery, event};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};

use super::read::DeliveryFilter;
use super::sql::convert::{from_json, from_micros, to_json, to_micros};
use super::{BulkInsert, StoreError, log};
use crate::clock::Time;
use crate::domain::{DeliveryOutcome, Event, Header, Provider, QuarantineReason, Seq};

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
    /// Why it is in quarantine.
    pub quarantine_reason: Option<QuarantineReason>,
    /// The fault that quarantined it, or the fields of its payload that were left out.
    pub detail: Option<&'a str>,
    /// The headers that matter.
    pub headers: &'a [Header],
    /// The number of bytes received.
    pub size_bytes: usize,
    /// The received bytes, unless the event has an equal body.
    pub body: Option<&'a [u8]>,
    /// The event that it belongs to.
    pub event: Option<Seq>,
    /// If it is a redelivery that renewed links: the newest event at that time.
    pub links_renewed_after: Option<Seq>,
}

/// Adds a delivery to the batch.
///
/// # Errors
///
/// [`StoreError::Unreadable`] if the headers cannot be written as JSON.
pub fn insert(batch: &mut BulkInsert, new: &NewDelivery<'_>) -> Result<(), StoreError> {
    batch.insert(&delivery::Model {
        id: new.id,
        provider: new.provider.as_str().to_owned(),
        vendor_type: new.vendor_type.map(str::to_owned),
        received_at: to_micros(new.received_at),
        signed_at: new.signed_at,
        outcome: new.outcome.as_str().to_owned(),
        quarantine_reason: new.quarantine_reason.map(|reason| reason.as_str().to_owned()),
        detail: new.detail.map(str::to_owned),
        body: new.body.map(<[u8]>::to_vec),
        event_seq: new.event.map(|seq| seq.0),
        headers: Some(to_json(&new.headers)?),
        size_bytes: i64::try_from(new.size_bytes).ok(),
        links_renewed_after: new.links_renewed_after.map(|seq| seq.0),
    });
    Ok(())
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

/// The event of the identity of this one that has a delivery with this `t` in its signature.
pub async fn event_signed_at<C: ConnectionTrait>(db: &C, event: &Event, t: i64) -> Result<Option<Seq>, StoreError> {
    let same_identity =
        event::Entity::find().select_only().column(event::Column::Seq).filter(log::is_same(event)).into_query();
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
    /// Its number.
    pub id: i64,
    /// The vendor that sent it.
    pub provider: Provider,
    /// When it was received.
    pub received_at: Time,
    /// The signed time `t` of its signature, in seconds.
    pub signed_at: Option<i64>,
    /// The headers that matter; empty if an earlier version stored it.
    pub headers: Vec<Header>,
    /// The received bytes; `None` once its event has them.
    pub body: Option<Vec<u8>>,
    /// The fault that quarantined it.
    pub detail: Option<String>,
    /// Whether it is still in quarantine.
    pub is_in_quarantine: bool,
}

impl TryFrom<delivery::Model> for QuarantinedDelivery {
    type Error = StoreError;

    fn try_from(row: delivery::Model) -> Result<Self, StoreError> {
        let provider = Provider::from_name(&row.provider)
            .ok_or_else(|| StoreError::Unreadable(format!("the provider of delivery {}", row.id)))?;
        Ok(Self {
            id: row.id,
            provider,
            received_at: from_micros(row.received_at)?,
            signed_at: row.signed_at,
            headers: from_json(row.headers.as_deref())?.unwrap_or_default(),
            body: row.body,
            detail: row.detail,
            is_in_quarantine: row.outcome == DeliveryOutcome::Quarantined.as_str(),
        })
    }
}

/// The delivery of this number, if it is or was in quarantine.
pub async fn find_quarantined<C: ConnectionTrait>(db: &C, id: i64) -> Result<Option<QuarantinedDelivery>, StoreError> {
    let found =
        delivery::Entity::find_by_id(id).filter(delivery::Column::QuarantineReason.is_not_null()).one(db).await?;
    found.map(QuarantinedDelivery::try_from).transpose()
}

/// The next deliveries in quarantine that match, after a number, oldest first, at most `limit`.
pub async fn quarantined_after<C: ConnectionTrait>(
    db: &C,
    filter: &DeliveryFilter,
    after: i64,
    limit: u64,
) -> Result<Vec<QuarantinedDelivery>, StoreError> {
    let rows = matching_quarantined(filter, after).order_by_asc(delivery::Column::Id).limit(limit).all(db).await?;
    rows.into_iter().map(QuarantinedDelivery::try_from).collect()
}

/// How many deliveries in quarantine match, after a number.
pub async fn count_quarantined_after<C: ConnectionTrait>(
    db: &C,
    filter: &DeliveryFilter,
    after: i64,
) -> Result<u64, StoreError> {
    Ok(matching_quarantined(filter, after).count(db).await?)
}

fn matching_quarantined(filter: &DeliveryFilter, after: i64) -> Select<delivery::Entity> {
    delivery::Entity::find()
        .filter(delivery::Column::Outcome.eq(DeliveryOutcome::Quarantined.as_str()))
        .filter(delivery::Column::Id.gt(after))
        .filter(filter.condition())
}

/// The result of a release.
#[derive(Debug)]
pub struct Release<'a> {
    /// Whether its event is new.
    pub outcome: DeliveryOutcome,
    /// The vendor's type of the event.
    pub vendor_type: &'a str,
    /// The event that it belongs to.
    pub event: Seq,
    /// Whether its bytes differ from the body of the event.
    pub keeps_body: bool,
    /// The detail, if fields of its payload were left out.
    pub detail: Option<String>,
    /// If it is a redelivery that renewed links: the newest event at that time.
    pub links_renewed_after: Option<Seq>,
}

/// Records the result of a release. The reason of the quarantine stays.
pub async fn mark_released<C: ConnectionTrait>(db: &C, id: i64, release: Release<'_>) -> Result<(), StoreError> {
    let mut row = delivery::ActiveModel {
        id: Set(id),
        outcome: Set(release.outcome.as_str().to_owned()),
        vendor_type: Set(Some(release.vendor_type.to_owned())),
        event_seq: Set(Some(release.event.0)),
        links_renewed_after: Set(release.links_renewed_after.map(|seq| seq.0)),
        ..Default::default()
    };
    if !release.keeps_body {
        row.body = Set(None);
    }
    if release.detail.is_some() {
        row.detail = Set(release.detail);
    }
    delivery::Entity::update(row).exec_without_returning(db).await?;
    Ok(())
}

/// The redeliveries that renewed links while the newest event was in this range: the number of each
/// and that event, in the order in which they did.
pub async fn link_renewals<C: ConnectionTrait>(
    db: &C,
    events: RangeInclusive<i64>,
) -> Result<Vec<(i64, Seq)>, StoreError> {
    let renewals: Vec<(i64, i64)> = delivery::Entity::find()
        .select_only()
        .columns([delivery::Column::Id, delivery::Column::LinksRenewedAfter])
        .filter(delivery::Column::LinksRenewedAfter.between(*events.start(), *events.end()))
        .order_by_asc(delivery::Column::LinksRenewedAfter)
        .order_by_asc(delivery::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    Ok(renewals.into_iter().map(|(id, seq)| (id, Seq(seq))).collect())
}

/// The vendor, the headers and the bytes of a delivery that has an event.
pub async fn content<C: ConnectionTrait>(
    db: &C,
    id: i64,
) -> Result<Option<(Provider, Vec<Header>, Vec<u8>)>, StoreError> {
    let Some(row) = delivery::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    let provider = Provider::from_name(&row.provider)
        .ok_or_else(|| StoreError::Unreadable(format!("the provider of delivery {id}")))?;
    let body = match (row.body, row.event_seq) {
        (Some(body), _) => body,
        (None, Some(seq)) => log::event_body(db, Seq(seq)).await?.unwrap_or_default().into_bytes(),
        (None, None) => return Ok(None),
    };
    Ok(Some((provider, from_json(row.headers.as_deref())?.unwrap_or_default(), body)))
}

/// When the newest delivery of each vendor was received.
pub async fn last_received_by_vendor<C: ConnectionTrait>(db: &C) -> Result<HashMap<Provider, Time>, StoreError> {
    let mut newest = HashMap::new();
    for &provider in Provider::ALL {
        let received_at: Option<i64> = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::ReceivedAt)
            .filter(delivery::Column::Provider.eq(provider.as_str()))
            .order_by_desc(delivery::Column::Id)
            .into_tuple()
            .one(db)
            .await?;
        if let Some(received_at) = received_at {
            newest.insert(provider, from_micros(received_at)?);
        }
    }
    Ok(newest)
}

/// How many deliveries of each vendor are in quarantine.
pub async fn count_quarantined_by_vendor<C: ConnectionTrait>(db: &C) -> Result<HashMap<Provider, u64>, StoreError> {
    let counts: Vec<(String, i64)> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Provider)
        .column_as(delivery::Column::Id.count(), "quarantined")
        .filter(delivery::Column::Outcome.eq(DeliveryOutcome::Quarantined.as_str()))
        .group_by(delivery::Column::Provider)
        .into_tuple()
        .all(db)
        .await?;
    let known = counts.into_iter().filter_map(|(provider, count)| {
        Some((Provider::from_name(&provider)?, u64::try_from(count).unwrap_or_default()))
    });
    Ok(known.collect())
}
