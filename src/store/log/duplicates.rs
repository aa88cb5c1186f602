//! Finds duplicates: the events of the log that have a delivery's identity.

use std::collections::{BTreeMap, BTreeSet};

use entity::event::{Column, Entity};
use entity::{delivery, file};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, UnionType, Value};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::Entry;
use crate::clock::Time;
use crate::domain::{Provider, Seq, Subject};
use crate::store::StoreError;
use crate::store::sql::convert::{from_micros, to_micros};
use crate::store::sql::lookup::{LOOKUP_VALUE, pad_to_power_of_four, values_table};

/// An event that has the identity in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorEvent {
    /// Its seq.
    pub seq: Seq,
    /// When it was first received.
    pub received_at: Time,
}

/// The newest rows of the tables that a group of deliveries appends to; 0 if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewestKeys {
    /// The head of the log.
    pub seq: Seq,
    /// The number of the newest delivery.
    pub delivery: i64,
    /// The number of the newest file.
    pub file: i64,
}

/// The newest event of each identity in a group of deliveries, read under the write lock. It
/// includes the events that the group appends.
#[derive(Debug, Default)]
pub struct DuplicateIndex {
    newest_by_identity: BTreeMap<String, Option<PriorEvent>>,
    /// Bodies of some of these events, and of all that the group appends.
    bodies: BTreeMap<Seq, String>,
}

/// How many bodies are read at once. Each may have a megabyte. (Fewer in tests, so that they reach
/// the limit.)
const BODIES_MAX: usize = if cfg!(test) { 3 } else { 64 };

impl DuplicateIndex {
    /// Reads the newest events of the identities that are not loaded yet. The same statement reads
    /// the newest keys, which are returned. It returns no row for an identity without an event:
    /// each row is handed over between threads, and most identities are new.
    pub async fn fetch<'a, C: ConnectionTrait>(
        &mut self,
        db: &C,
        identities: impl IntoIterator<Item = &'a str>,
    ) -> Result<NewestKeys, StoreError> {
        let missing: BTreeSet<&str> =
            identities.into_iter().filter(|identity| !self.newest_by_identity.contains_key(*identity)).collect();
        let values: Vec<[Option<&str>; 1]> = missing.iter().map(|identity| [Some(*identity)]).collect();
        let newest = |column: Column| {
            let newest = Query::select()
                .column(column)
                .from(Entity)
                .and_where(Column::Identity.into_expr().equals(LOOKUP_VALUE))
                .order_by(Column::Seq, Order::Desc)
                .limit(1)
                .take();
            Expr::SubQuery(None, Box::new(newest.into()))
        };
        let found = Query::select()
            .expr(Expr::value(Value::BigInt(None)))
            .expr(Expr::value(Value::BigInt(None)))
            .expr(Expr::value(Value::BigInt(None)))
            .column(LOOKUP_VALUE)
            .expr(newest(Column::Seq))
            .expr(newest(Column::ReceivedAt))
            .from(values_table(&values))
            .and_where(newest(Column::Seq).is_not_null())
            .take();
        let statement = Query::select()
            .expr(greatest_key(Entity, Column::Seq))
            .expr(greatest_key(delivery::Entity, delivery::Column::Id))
            .expr(greatest_key(file::Entity, file::Column::Id))
            .expr(Expr::value(Value::String(None)))
            .expr(Expr::value(Value::BigInt(None)))
            .expr(Expr::value(Value::BigInt(None)))
            .union(UnionType::All, found)
            .take();
        self.newest_by_identity.extend(missing.iter().map(|identity| ((*identity).to_owned(), None)));
        let mut newest = NewestKeys::default();
        for row in db.query_all(&statement).await? {
            if let Some(identity) = row.try_get_by_index::<Option<String>>(3)? {
                let (seq, received_at) = (row.try_get_by_index(4)?, row.try_get_by_index(5)?);
                let prior = PriorEvent { seq: Seq(seq), received_at: from_micros(received_at)? };
                self.newest_by_identity.insert(identity, Some(prior));
            } else {
                let key =
                    |index| Ok::<i64, StoreError>(row.try_get_by_index::<Option<i64>>(index)?.unwrap_or_default());
                newest = NewestKeys { seq: Seq(key(0)?), delivery: key(1)?, file: key(2)? };
            }
        }
        Ok(newest)
    }

    /// Reads the bodies of the loaded events of these identities, at most 64 of them, for
    /// comparison with those of redeliveries.
    pub async fn fetch_bodies<'a, C: ConnectionTrait>(
        &mut self,
        db: &C,
        identities: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let events = identities.into_iter().filter_map(|identity| self.loaded(identity));
        let seqs: BTreeSet<i64> = events.map(|event| event.seq.0).take(BODIES_MAX).collect();
        if !seqs.is_empty() {
            let bodies = Entity::find().select_only().columns([Column::Seq, Column::Body]);
            let bodies: Vec<(i64, String)> =
                bodies.filter(Column::Seq.is_in(pad_to_power_of_four(seqs.into_iter()))).into_tuple().all(db).await?;
            self.bodies.extend(bodies.into_iter().map(|(seq, body)| (Seq(seq), body)));
        }
        Ok(())
    }

    /// The body of an event, if it is loaded.
    #[must_use]
    pub fn loaded_body(&self, seq: Seq) -> Option<&str> {
        self.bodies.get(&seq).map(String::as_str)
    }

    /// The newest event of an identity.
    pub async fn newest<C: ConnectionTrait>(
        &mut self,
        db: &C,
        identity: &str,
    ) -> Result<Option<PriorEvent>, StoreError> {
        if !self.newest_by_identity.contains_key(identity) {
            self.fetch(db, [identity]).await?;
        }
        Ok(self.loaded(identity))
    }

    /// The same, if it is loaded.
    #[must_use]
    pub fn loaded(&self, identity: &str) -> Option<PriorEvent> {
        self.newest_by_identity.get(identity).copied().flatten()
    }

    /// Records an event that was appended.
    pub fn record_appended(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        // The time as the database returns it.
        let received_at = from_micros(to_micros(entry.received_at))?;
        self.newest_by_identity
            .insert(entry.event.identity.digest.clone(), Some(PriorEvent { seq: entry.seq, received_at }));
        self.bodies.insert(entry.seq, entry.body.to_owned());
        Ok(())
    }
}

/// The greatest value of a key, read as the first row in its order. Only the key's index has that
/// order. For a maximum in an empty table PostgreSQL takes all indexes for equally good.
fn greatest_key<E: EntityTrait>(table: E, key: E::Column) -> Expr {
    let last = Query::select().column(key).from(table).order_by(key, Order::Desc).limit(1).take();
    Expr::SubQuery(None, Box::new(last.into()))
}

/// Whether an event of this subject follows that seq.
pub async fn subject_changed_since<C: ConnectionTrait>(
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

/// The body of the event with this seq.
pub async fn event_body<C: ConnectionTrait>(db: &C, seq: Seq) -> Result<Option<String>, StoreError> {
    Ok(Entity::find_by_id(seq.0).select_only().column(Column::Body).into_tuple().one(db).await?)
}
