//! Reads events of the log for a rebuild and for counting them, and writes the columns that the
//! projections give them.

use std::collections::BTreeSet;

use entity::event::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Derived, Entry};
use crate::clock::Time;
use crate::domain::{Event, EventKind, ProposalStatus, Provider, References, Seq, VendorId};
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
    /// The columns that the projections gave it; none if it is not counted.
    pub derived: Option<Derived>,
}

impl StoredEvent {
    /// The event as it is applied again, as today's code reads it.
    #[must_use]
    pub fn entry<'a>(&'a self, event: &'a Event) -> Entry<'a> {
        Entry { seq: self.seq, event, received_at: self.received_at, signed_at: self.signed_at, body: &self.body }
    }
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

/// The next events of a proposal after a seq, oldest first, at most `limit`.
pub async fn stored_events_of_proposal<C: ConnectionTrait>(
    db: &C,
    (provider, proposal): (Provider, &VendorId),
    after: Seq,
    limit: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = Entity::find()
        .filter(Column::Provider.eq(provider.as_str()))
        .filter(Column::ProposalVendorId.eq(proposal.as_str()))
        .filter(Column::Seq.gt(after.0))
        .order_by_asc(Column::Seq)
        .limit(limit);
    rows.all(db).await?.into_iter().map(StoredEvent::try_from).collect()
}

/// The condition on events of proposals that are not counted. It is that of an index, which holds
/// no others.
const UNCOUNTED: &str = r#""is_counted" IS NULL AND "proposal_vendor_id" IS NOT NULL"#;

/// The proposals of the oldest events that are not counted, at most `limit` events.
pub async fn uncounted_proposals<C: ConnectionTrait>(
    db: &C,
    limit: u64,
) -> Result<BTreeSet<(Provider, VendorId)>, StoreError> {
    let columns = Entity::find().select_only().columns([Column::Provider, Column::ProposalVendorId]);
    let rows = columns.filter(Expr::cust(UNCOUNTED)).order_by_asc(Column::Seq).limit(limit);
    let rows: Vec<(String, String)> = rows.into_tuple().all(db).await?;
    let key = |(provider, proposal): (String, String)| {
        let provider = Provider::from_name(&provider)
            .ok_or_else(|| StoreError::Unreadable(format!("the provider {provider:?} of an event")))?;
        Ok((provider, VendorId::from_stored(proposal)))
    };
    rows.into_iter().map(key).collect()
}

/// How many events of proposals are not counted.
pub async fn count_uncounted<C: ConnectionTrait>(db: &C) -> Result<u64, StoreError> {
    Ok(Entity::find().filter(Expr::cust(UNCOUNTED)).count(db).await?)
}

/// How many events are written by one statement. (Fewer in tests, so that they reach the limit.)
const WRITE_PAGE_SIZE: usize = if cfg!(test) { 2 } else { 500 };

/// Writes the columns that the projections give these events, which are then counted.
pub async fn write_derived<C: ConnectionTrait>(db: &C, events: &[(Seq, Derived)]) -> Result<(), StoreError> {
    for page in events.chunks(WRITE_PAGE_SIZE) {
        // Numbers and the names of statuses need no escaping. The types are those of a null too.
        let row = |(Seq(seq), derived): &(Seq, Derived)| {
            let status = derived.previous_status.map_or("NULL".to_owned(), |status| format!("'{}'", status.as_str()));
            let slot = derived.view_slot.map_or("NULL".to_owned(), |slot| slot.to_string());
            format!("({seq}, CAST({status} AS text), CAST({slot} AS bigint))")
        };
        let rows: Vec<String> = page.iter().map(row).collect();
        let update = format!(
            r#"WITH "new" ("seq", "previous_status", "view_slot") AS (VALUES {}) UPDATE "event" SET
            "previous_status" = "new"."previous_status", "view_slot" = "new"."view_slot", "is_counted" = TRUE
            FROM "new" WHERE "event"."seq" = "new"."seq""#,
            rows.join(", ")
        );
        db.execute_unprepared(&update).await?;
    }
    Ok(())
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
            derived: row.is_counted.map(|_| Derived {
                previous_status: row.previous_status.as_deref().and_then(ProposalStatus::from_name),
                view_slot: row.view_slot,
            }),
            body: row.body,
        })
    }
}

/// How many events the log has.
pub async fn count<C: ConnectionTrait>(db: &C) -> Result<u64, StoreError> {
    Ok(Entity::find().count(db).await?)
}
