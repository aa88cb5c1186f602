//! Reads events of the log for a rebuild.

use entity::event::{Column, Entity};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::clock::Time;
use crate::domain::{EventKind, Provider, References, Seq, VendorId};
use crate::store::StoreError;
use crate::store::sql::convert::from_micros;

/// An event as it was recorded.
#[derive(Debug)]
pub struct StoredEvent {
    /// Its seq.
    pub seq: Seq,
    /// The vendor that sent it.
    pub provider: Provider,
    /// Its kind.
    pub kind: EventKind,
    /// The objects that it belongs to, as known when it was recorded.
    pub references: References,
    /// When its first delivery was received.
    pub received_at: Time,
    /// The `t` of that delivery's signature.
    pub signed_at: Option<i64>,
    /// That delivery's body.
    pub body: String,
}

/// The next events after a seq, oldest first, at most `limit`.
pub async fn stored_events_after<C: ConnectionTrait>(
    db: &C,
    after: Seq,
    limit: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = Entity::find().filter(Column::Seq.gt(after.0)).order_by_asc(Column::Seq).limit(limit).all(db).await?;
    rows.into_iter().map(StoredEvent::try_from).collect()
}

impl TryFrom<entity::event::Model> for StoredEvent {
    type Error = StoreError;

    fn try_from(row: entity::event::Model) -> Result<Self, StoreError> {
        let unreadable = |column: &str| StoreError::Unreadable(format!("the {column} of event {}", row.seq));
        let id = |id: Option<String>| id.map(VendorId::from_stored);
        Ok(Self {
            seq: Seq(row.seq),
            provider: Provider::from_name(&row.provider).ok_or_else(|| unreadable("provider"))?,
            kind: EventKind::from_name(&row.kind).ok_or_else(|| unreadable("kind"))?,
            received_at: from_micros(row.received_at)?,
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
pub async fn count<C: ConnectionTrait>(db: &C) -> Result<u64, StoreError> {
    Ok(Entity::find().count(db).await?)
}
