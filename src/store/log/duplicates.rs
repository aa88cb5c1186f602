//! What the log has of an identity: whether a delivery repeats an event.

use std::collections::{BTreeMap, BTreeSet};

use entity::delivery;
use entity::event::{Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::Entry;
use crate::clock::Time;
use crate::domain::{Provider, Seq, Subject};
use crate::store::StoreError;
use crate::store::sql::convert::{from_micros, to_micros};
use crate::store::sql::lookup::{LOOKUP_VALUE, pad_to_power_of_four, values_table};

/// An event that has the identity asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorEvent {
    /// Its place.
    pub seq: Seq,
    /// When it was first received.
    pub received_at: Time,
}

/// The newest events of the identities that a group of deliveries has, read under the write lock; what the group itself appends is
/// among them.
#[derive(Debug, Default)]
pub struct DuplicateIndex {
    newest_by_identity: BTreeMap<String, Option<PriorEvent>>,
    /// Bodies of some of them, and of those that the group appends.
    bodies: BTreeMap<Seq, String>,
}

/// Of how many events the bodies are read at once. Each may have a megabyte. (Fewer where it is tested what happens past them.)
const BODIES_MAX: usize = if cfg!(test) { 3 } else { 64 };

impl DuplicateIndex {
    /// Reads those of the identities that are not known yet; and by the same statement the newest place in the log and the newest
    /// delivery's number, 0 where there is none.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn fetch<'a, C: ConnectionTrait>(
        &mut self,
        db: &C,
        identities: impl IntoIterator<Item = &'a str>,
    ) -> Result<(Seq, i64), StoreError> {
        let asked: BTreeSet<&str> =
            identities.into_iter().filter(|identity| !self.newest_by_identity.contains_key(*identity)).collect();
        let wanted_values: Vec<[Option<&str>; 1]> = asked.iter().map(|identity| [Some(*identity)]).collect();
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
        let twins = Query::select()
            .expr(greatest_key(Entity, Column::Seq))
            .expr(greatest_key(delivery::Entity, delivery::Column::Id))
            .column(LOOKUP_VALUE)
            .expr(newest(Column::Seq))
            .expr(newest(Column::ReceivedAt))
            .from(values_table(&wanted_values))
            .take();
        let rows = db.query_all(&twins).await?;
        self.newest_by_identity.extend(asked.into_iter().map(|identity| (identity.to_owned(), None)));
        // There is one row at least, of what the values are filled up by.
        let mut ends = (None, None);
        for row in rows {
            ends = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            if let (Some(seq), Some(received_at)) = (row.try_get_by_index(3)?, row.try_get_by_index(4)?) {
                let twin = PriorEvent { seq: Seq(seq), received_at: from_micros(received_at)? };
                self.newest_by_identity.insert(row.try_get_by_index(2)?, Some(twin));
            }
        }
        Ok((Seq(ends.0.unwrap_or_default()), ends.1.unwrap_or_default()))
    }

    /// Reads the bodies of the first events that are known to have these identities, to compare those of redeliveries with them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn fetch_bodies<'a, C: ConnectionTrait>(
        &mut self,
        db: &C,
        identities: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let known = identities.into_iter().filter_map(|identity| self.loaded(identity));
        let seqs: BTreeSet<i64> = known.map(|twin| twin.seq.0).take(BODIES_MAX).collect();
        if !seqs.is_empty() {
            let bodies = Entity::find().select_only().columns([Column::Seq, Column::Body]);
            let bodies: Vec<(i64, String)> =
                bodies.filter(Column::Seq.is_in(pad_to_power_of_four(seqs.into_iter()))).into_tuple().all(db).await?;
            self.bodies.extend(bodies.into_iter().map(|(seq, body)| (Seq(seq), body)));
        }
        Ok(())
    }

    /// The body of an event, where it was read.
    #[must_use]
    pub fn loaded_body(&self, seq: Seq) -> Option<&str> {
        self.bodies.get(&seq).map(String::as_str)
    }

    /// The newest event of an identity.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
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

    /// The same, of what was read.
    #[must_use]
    pub fn loaded(&self, identity: &str) -> Option<PriorEvent> {
        self.newest_by_identity.get(identity).copied().flatten()
    }

    /// Notes an event that was appended.
    ///
    /// # Errors
    ///
    /// Where its time is none.
    pub fn record_appended(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        // As it will be read.
        let received_at = from_micros(to_micros(entry.received_at))?;
        self.newest_by_identity
            .insert(entry.event.identity.digest.clone(), Some(PriorEvent { seq: entry.seq, received_at }));
        self.bodies.insert(entry.seq, entry.body.to_owned());
        Ok(())
    }
}

/// The greatest value of a key. As the first of its order: only the key's index has that, also where PostgreSQL takes all indexes of an empty
/// table for equally good to look for a maximum in.
fn greatest_key<E: EntityTrait>(table: E, key: E::Column) -> Expr {
    let last = Query::select().column(key).from(table).order_by(key, Order::Desc).limit(1).take();
    Expr::SubQuery(None, Box::new(last.into()))
}

/// Whether another event of this subject follows that place.
///
/// # Errors
///
/// Where the database cannot be read.
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

/// The body of the event at a place.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn event_body<C: ConnectionTrait>(db: &C, seq: Seq) -> Result<Option<String>, StoreError> {
    Ok(Entity::find_by_id(seq.0).select_only().column(Column::Body).into_tuple().one(db).await?)
}
