//! The log: appending to it, and finding what a delivery repeats.

use entity::event::{Column, Entity};
use sea_orm::sea_query::{Expr, Func, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::StoreError;
use super::convert::{micros, time};
use crate::clock::Time;
use crate::domain::{Event, EventKind, Provider, References, Seq, Subject, VendorId};

/// The newest place in the log; [`Seq`] 0 where it is empty.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn head<C: ConnectionTrait>(db: &C) -> Result<Seq, StoreError> {
    let newest: Option<Option<i64>> =
        Entity::find().select_only().column_as(Column::Seq.max(), "newest").into_tuple().one(db).await?;
    Ok(Seq(newest.flatten().unwrap_or_default()))
}

/// The newest place in the log, and the newest delivery's number; 0 where there is none.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn ends<C: ConnectionTrait>(db: &C) -> Result<(Seq, i64), StoreError> {
    let newest = |column: &'static str, table: &'static str| {
        Expr::SubQuery(None, Box::new(Query::select().expr(Func::max(Expr::col(column))).from(table).take().into()))
    };
    let both = Query::select().expr(newest("seq", "event")).expr(newest("id", "delivery")).take();
    let Some(row) = db.query_one(&both).await? else { return Ok((Seq(0), 0)) };
    let (event, delivery): (Option<i64>, Option<i64>) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    Ok((Seq(event.unwrap_or_default()), delivery.unwrap_or_default()))
}

/// An event at its place, with what is known of it only when it is recorded.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its place: one more than the head's, given under the write lock.
    pub seq: Seq,
    /// The event, its references completed from the projections.
    pub event: &'a Event,
    /// When its first delivery came.
    pub received_at: Time,
    /// The `t` of that delivery's signature.
    pub signed_at: Option<i64>,
    /// Where it stands in the order of its subject's state.
    pub order_key: Time,
    /// That delivery's body.
    pub body: &'a str,
}

/// Appends an event.
///
/// # Errors
///
/// Where the database refuses it or is not available.
pub async fn append<C: ConnectionTrait>(db: &C, entry: &Entry<'_>) -> Result<(), StoreError> {
    let event = entry.event;
    let id = |id: &Option<VendorId>| id.as_ref().map(|id| id.as_str().to_owned());
    let row = entity::event::Model {
        seq: entry.seq.0,
        provider: event.provider.as_str().to_owned(),
        kind: event.kind.as_str().to_owned(),
        vendor_type: event.vendor_type.clone(),
        subject: event.subject.0.clone(),
        identity: event.identity.digest.clone(),
        status: event.status.map(|status| status.as_str().to_owned()),
        occurred_at: event.occurred_at.map(micros),
        received_at: micros(entry.received_at),
        signed_at: entry.signed_at,
        order_key: micros(entry.order_key),
        proposal_vendor_id: id(&event.references.proposal),
        client_vendor_id: id(&event.references.client),
        project_vendor_id: id(&event.references.project),
        drawing_vendor_id: id(&event.references.drawing),
        body: entry.body.to_owned(),
    };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// An event in the log that has the identity asked for.
#[derive(Debug)]
pub struct Twin {
    /// Its place.
    pub seq: Seq,
    /// When it was first received.
    pub received_at: Time,
}

#[derive(FromQueryResult)]
struct TwinRow {
    seq: i64,
    received_at: i64,
}

/// The newest event of this identity.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn newest_twin<C: ConnectionTrait>(db: &C, identity: &str) -> Result<Option<Twin>, StoreError> {
    let row = Entity::find()
        .select_only()
        .columns([Column::Seq, Column::ReceivedAt])
        .filter(Column::Identity.eq(identity))
        .order_by_desc(Column::Seq)
        .into_model::<TwinRow>()
        .one(db)
        .await?;
    row.map(|row| Ok(Twin { seq: Seq(row.seq), received_at: time(row.received_at)? })).transpose()
}

/// Whether another event of this subject follows that place.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn disturbed_since<C: ConnectionTrait>(
    db: &C,
    provider: Provider,
    subject: &Subject,
    seq: Seq,
) -> Result<bool, StoreError> {
    let later: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Seq)
        .filter(Column::Provider.eq(provider.as_str()))
        .filter(Column::Subject.eq(subject.0.as_str()))
        .filter(Column::Seq.gt(seq.0))
        .into_tuple()
        .one(db)
        .await?;
    Ok(later.is_some())
}

/// The body of the event at a place.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn body<C: ConnectionTrait>(db: &C, seq: Seq) -> Result<Option<String>, StoreError> {
    Ok(Entity::find_by_id(seq.0).select_only().column(Column::Body).into_tuple().one(db).await?)
}

/// An event as it was recorded, to be gone through again.
#[derive(Debug)]
pub struct Recorded {
    /// Its place.
    pub seq: Seq,
    /// Who sent it.
    pub provider: Provider,
    /// The kind that it was given.
    pub kind: EventKind,
    /// What it belongs to, as known when it was recorded.
    pub references: References,
    /// When its first delivery came.
    pub received_at: Time,
    /// The `t` of that delivery's signature.
    pub signed_at: Option<i64>,
    /// That delivery's body.
    pub body: String,
}

/// The next events past a place, oldest first, at most `limit`.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn recorded_after<C: ConnectionTrait>(db: &C, after: Seq, limit: u64) -> Result<Vec<Recorded>, StoreError> {
    let rows = Entity::find().filter(Column::Seq.gt(after.0)).order_by_asc(Column::Seq).limit(limit).all(db).await?;
    rows.into_iter().map(Recorded::try_from).collect()
}

impl TryFrom<entity::event::Model> for Recorded {
    type Error = StoreError;

    fn try_from(row: entity::event::Model) -> Result<Self, StoreError> {
        let unreadable = |what: &str| StoreError::Unreadable(format!("the {what} of event {}", row.seq));
        let id = |id: Option<String>| id.map(VendorId::from_stored);
        Ok(Self {
            seq: Seq(row.seq),
            provider: Provider::from_name(&row.provider).ok_or_else(|| unreadable("provider"))?,
            kind: EventKind::from_name(&row.kind).ok_or_else(|| unreadable("kind"))?,
            received_at: time(row.received_at)?,
            signed_at: row.signed_at,
            references: References {
                proposal: id(row.proposal_vendor_id),
                client: id(row.client_vendor_id),
                project: id(row.project_vendor_id),
                drawing: id(row.drawing_vendor_id),
            },
            body: row.body,
        })
    }
}

/// How many events the log has.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn count<C: ConnectionTrait>(db: &C) -> Result<u64, StoreError> {
    Ok(Entity::find().count(db).await?)
}
