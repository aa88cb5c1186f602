//! Finds duplicates: the events of the log that have a delivery's identity.
//!
//! An identity is a hash, and an index of hashes is written all over: half of the pages that a
//! group wrote were of it. An identity says also which subject it has, and new subjects follow each
//! other. So the index begins with the subject, and has only the first digits of the hash.

use std::collections::{BTreeMap, BTreeSet};

use entity::event::{Column, Entity};
use entity::{delivery, file};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement, UnionType, Value};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::Entry;
use crate::clock::Time;
use crate::domain::{Event, Provider, Seq, Subject};
use crate::store::StoreError;
use crate::store::sql::convert::{from_micros, to_micros};
use crate::store::sql::lookup::{
    LOOKUP_SECOND_VALUE, LOOKUP_THIRD_VALUE, LOOKUP_VALUE, pad_to_power_of_four, values_table,
};

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

/// The first digits of an identity, as the index has them.
const INDEXED_IDENTITY: &str = r#"SUBSTR("event"."identity", 1, 16)"#;

/// The same of an identity that is looked up.
fn indexed_digits(identity: &str) -> &str {
    identity.get(..16).unwrap_or(identity)
}

impl DuplicateIndex {
    /// Reads the newest events of the identities of these events that are not loaded yet. The same
    /// statement reads the newest keys, which are returned. It returns no row for an identity
    /// without an event: each row is handed over between threads, and most identities are new.
    pub async fn fetch<'a, C: ConnectionTrait>(
        &mut self,
        db: &C,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<NewestKeys, StoreError> {
        let events = events.into_iter().map(|event| (event.identity.digest.as_str(), event.subject.0.as_str()));
        let missing: BTreeMap<&str, &str> =
            events.filter(|(identity, _)| !self.newest_by_identity.contains_key(*identity)).collect();
        let values: Vec<[Option<&str>; 3]> = missing
            .iter()
            .map(|(identity, subject)| [Some(*identity), Some(*subject), Some(indexed_digits(identity))])
            .collect();
        self.newest_by_identity.extend(missing.keys().map(|identity| ((*identity).to_owned(), None)));
        let mut newest = NewestKeys::default();
        for row in db.query_all(&newest_statement(&values)).await? {
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

    /// The newest event that has the identity of this one.
    pub async fn newest<C: ConnectionTrait>(
        &mut self,
        db: &C,
        event: &Event,
    ) -> Result<Option<PriorEvent>, StoreError> {
        if !self.newest_by_identity.contains_key(&event.identity.digest) {
            self.fetch(db, [event]).await?;
        }
        Ok(self.loaded(&event.identity.digest))
    }

    /// The newest event of an identity, if it is loaded.
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

/// Selects the newest keys, and the newest event of each of the identities: the values are an
/// identity, its subject and its indexed digits.
fn newest_statement(values: &[[Option<&str>; 3]]) -> SelectStatement {
    let newest = |column: Column| {
        let newest = Query::select()
            .column(column)
            .from(Entity)
            .and_where(Column::Subject.into_expr().equals(LOOKUP_SECOND_VALUE))
            .and_where(Expr::cust(INDEXED_IDENTITY).equals(LOOKUP_THIRD_VALUE))
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
        .from(values_table(values))
        .and_where(newest(Column::Seq).is_not_null())
        .take();
    Query::select()
        .expr(greatest_key(Entity, Column::Seq))
        .expr(greatest_key(delivery::Entity, delivery::Column::Id))
        .expr(greatest_key(file::Entity, file::Column::Id))
        .expr(Expr::value(Value::String(None)))
        .expr(Expr::value(Value::BigInt(None)))
        .expr(Expr::value(Value::BigInt(None)))
        .union(UnionType::All, found)
        .take()
}

/// The greatest value of a key, read as the first row in its order. Only the key's index has that
/// order. For a maximum in an empty table PostgreSQL takes all indexes for equally good.
fn greatest_key<E: EntityTrait>(table: E, key: E::Column) -> Expr {
    let last = Query::select().column(key).from(table).order_by(key, Order::Desc).limit(1).take();
    Expr::SubQuery(None, Box::new(last.into()))
}

/// The condition that an event of the log has the identity of this one.
pub(in crate::store) fn is_same(event: &Event) -> Condition {
    is_identity(&event.subject.0, &event.identity.digest)
}

fn is_identity(subject: &str, identity: &str) -> Condition {
    Condition::all()
        .add(Column::Subject.eq(subject))
        .add(Expr::cust(INDEXED_IDENTITY).eq(indexed_digits(identity)))
        .add(Column::Identity.eq(identity))
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

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{PostgresQueryBuilder, SqliteQueryBuilder};
    use sea_orm::{DbBackend, QueryTrait, Statement};

    use super::*;
    use crate::store::Store;
    use crate::store::test_support::PostgresCluster;

    fn statements() -> [SelectStatement; 2] {
        let identity = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let values = [Some(identity), Some("project:1"), Some(indexed_digits(identity))];
        let same = Entity::find().select_only().column(Column::Seq).filter(is_identity("project:1", identity));
        [newest_statement(&[values, values]), same.into_query()]
    }

    #[tokio::test]
    async fn identities_are_looked_up_by_their_index() {
        let (_directory, sqlite) = Store::for_test().await;
        for statement in statements() {
            let sql = format!("EXPLAIN QUERY PLAN {}", statement.to_string(SqliteQueryBuilder));
            let rows = sqlite.reader().query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
            let plan: Vec<String> = rows.into_iter().map(|row| row.try_get("", "detail").unwrap()).collect();
            let uses: Vec<&String> = plan.iter().filter(|line| line.contains("event_subject_identity")).collect();
            let is_whole = |line: &&String| line.contains("(subject=? AND <expr>=?)");
            assert!(!uses.is_empty() && uses.iter().all(is_whole), "{plan:#?}");
            assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "it sorts: {plan:#?}");
        }
        let cluster = PostgresCluster::start();
        let postgres = cluster.new_store().await;
        for statement in statements() {
            let sql = format!("EXPLAIN {}", statement.to_string(PostgresQueryBuilder));
            let rows = postgres.reader().query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
            let plan: Vec<String> = rows.into_iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
            assert!(plan.iter().any(|line| line.contains("event_subject_identity")), "{plan:#?}");
            assert!(plan.iter().any(|line| line.contains("substr(")), "the digits are in the condition: {plan:#?}");
            assert!(!plan.iter().any(|line| line.contains("Sort  (")), "it sorts: {plan:#?}");
        }
        postgres.close().await;
    }
}
