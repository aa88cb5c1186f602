//! What the log has of an identity: whether a delivery repeats an event.

use std::collections::BTreeMap;

use entity::event::{Column, Entity};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};

use super::Entry;
use crate::clock::Time;
use crate::domain::{Provider, Seq, Subject};
use crate::store::StoreError;
use crate::store::batch::padded;
use crate::store::convert::{micros, time};

/// An event that has the identity asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Its place.
    pub seq: Seq,
    /// When it was first received.
    pub received_at: Time,
}

/// The newest events of the identities that a group of deliveries has, read under the write lock; what the group itself appends is
/// among them.
#[derive(Debug, Default)]
pub struct Twins(BTreeMap<String, Option<Twin>>);

#[derive(FromQueryResult)]
struct Row {
    identity: String,
    seq: i64,
    received_at: i64,
}

impl Twins {
    /// Reads those of the identities that are not known yet.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn fetch<'a, C: ConnectionTrait>(
        &mut self,
        db: &C,
        identities: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let wanted: Vec<&str> = identities.into_iter().filter(|identity| !self.0.contains_key(*identity)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        // Most have none, and no second statement is needed then.
        let newest: Vec<Option<i64>> = Entity::find()
            .select_only()
            .column_as(Column::Seq.max(), "newest")
            .filter(Column::Identity.is_in(padded(wanted.clone())))
            .group_by(Column::Identity)
            .into_tuple()
            .all(db)
            .await?;
        let newest: Vec<i64> = newest.into_iter().flatten().collect();
        let rows = if newest.is_empty() {
            Vec::new()
        } else {
            Entity::find()
                .select_only()
                .columns([Column::Identity, Column::Seq, Column::ReceivedAt])
                .filter(Column::Seq.is_in(padded(newest)))
                .into_model::<Row>()
                .all(db)
                .await?
        };
        self.0.extend(wanted.into_iter().map(|identity| (identity.to_owned(), None)));
        for row in rows {
            self.0.insert(row.identity, Some(Twin { seq: Seq(row.seq), received_at: time(row.received_at)? }));
        }
        Ok(())
    }

    /// The newest event of an identity.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn newest<C: ConnectionTrait>(&mut self, db: &C, identity: &str) -> Result<Option<Twin>, StoreError> {
        self.fetch(db, [identity]).await?;
        Ok(self.known(identity))
    }

    /// The same, of what was read.
    #[must_use]
    pub fn known(&self, identity: &str) -> Option<Twin> {
        self.0.get(identity).copied().flatten()
    }

    /// Notes an event that was appended.
    ///
    /// # Errors
    ///
    /// Where its time is none.
    pub fn appended(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        // As it will be read.
        let received_at = time(micros(entry.received_at))?;
        self.0.insert(entry.event.identity.digest.clone(), Some(Twin { seq: entry.seq, received_at }));
        Ok(())
    }
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
