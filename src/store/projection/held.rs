//! The rows of one table that a group of events changes: read together, changed here, written together.

use std::collections::{BTreeMap, BTreeSet};

use entity::event;
use sea_orm::sea_query::{Expr, ExprTrait, IntoIden, Query, TableRef, ValueTuple};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::domain::{Provider, VendorId};
use crate::store::StoreError;
use crate::store::batch::{Batch, padded};

/// A table with a row for each of a vendor's things.
pub(super) trait Projected: EntityTrait<Model: Clone> {
    /// The column of the vendor's id.
    const VENDOR_ID: Self::Column;
    /// When the newest event of those that belong to it was received.
    const LAST_EVENT_AT: Self::Column;
    /// Where an event says that it belongs to it.
    const NAMED_BY: event::Column;

    /// The vendor's id of a row.
    fn vendor_id(row: &Self::Model) -> &str;
    /// That time of a row.
    fn last_event_at(row: &mut Self::Model) -> &mut i64;
}

macro_rules! projected {
    ($($table:ident is named by $column:ident),+ $(,)?) => {
        $(impl Projected for entity::$table::Entity {
            const VENDOR_ID: Self::Column = entity::$table::Column::VendorId;
            const LAST_EVENT_AT: Self::Column = entity::$table::Column::LastEventAt;
            const NAMED_BY: event::Column = event::Column::$column;

            fn vendor_id(row: &Self::Model) -> &str {
                &row.vendor_id
            }

            fn last_event_at(row: &mut Self::Model) -> &mut i64 {
                &mut row.last_event_at
            }
        })+
    };
}

projected! {
    project is named by ProjectVendorId,
    drawing is named by DrawingVendorId,
    client is named by ClientVendorId,
    proposal is named by ProposalVendorId,
}

/// Rows of such a table.
#[derive(Debug)]
pub(super) struct Held<E: Projected> {
    /// Whose they are, and the column that says so, where a vendor's id is a thing's only together with its provider.
    provider: Option<(E::Column, Provider)>,
    rows: BTreeMap<String, Row<E::Model>>,
    /// Of events of the group: when the newest one that belongs to each was received. Not every one has a row.
    touched: BTreeMap<String, i64>,
}

#[derive(Debug)]
enum Row<M> {
    /// There is none. Events may have come before it: when the newest of them was received.
    Absent(Option<i64>),
    /// As it is now.
    Present { row: M, is_changed: bool },
}

impl<E: Projected> Held<E> {
    /// Rows that a vendor's id stands for.
    pub(super) const fn new() -> Self {
        Self { provider: None, rows: BTreeMap::new(), touched: BTreeMap::new() }
    }

    /// Rows of one provider, which that column names.
    pub(super) const fn of(column: E::Column, provider: Provider) -> Self {
        Self { provider: Some((column, provider)), rows: BTreeMap::new(), touched: BTreeMap::new() }
    }

    /// Reads those rows that are not held yet.
    pub(super) async fn fetch<C: ConnectionTrait>(
        &mut self,
        db: &C,
        ids: BTreeSet<&VendorId>,
    ) -> Result<(), StoreError> {
        let wanted: Vec<&str> =
            ids.into_iter().map(VendorId::as_str).filter(|id| !self.rows.contains_key(*id)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let found = E::find().filter(self.one_of(padded(wanted.clone()))).all(db).await?;
        for row in found {
            self.rows.insert(E::vendor_id(&row).to_owned(), Row::Present { row, is_changed: false });
        }
        let absent: Vec<&str> = wanted.into_iter().filter(|id| !self.rows.contains_key(*id)).collect();
        let newest = self.newest_events(db, &absent).await?;
        for id in absent {
            self.rows.insert(id.to_owned(), Row::Absent(newest.get(id).copied()));
        }
        Ok(())
    }

    /// The row of that id.
    pub(super) async fn get<C: ConnectionTrait>(
        &mut self,
        db: &C,
        id: &VendorId,
    ) -> Result<Option<&E::Model>, StoreError> {
        self.fetch(db, BTreeSet::from([id])).await?;
        Ok(match self.rows.get(id.as_str()) {
            Some(Row::Present { row, .. }) => Some(row),
            Some(Row::Absent(_)) | None => None,
        })
    }

    /// Gives a row another content, or a thing its first.
    pub(super) fn put(&mut self, mut row: E::Model) {
        let id = E::vendor_id(&row).to_owned();
        let before = match self.rows.get(&id) {
            Some(Row::Absent(newest)) => *newest,
            Some(Row::Present { .. }) | None => None,
        };
        let last = E::last_event_at(&mut row);
        *last = [before, self.touched.get(&id).copied()].into_iter().flatten().fold(*last, Ord::max);
        self.rows.insert(id, Row::Present { row, is_changed: true });
    }

    /// Notes that an event which belongs to it was received then.
    pub(super) fn touch(&mut self, id: &VendorId, received_at: i64) {
        let newest = self.touched.entry(id.as_str().to_owned()).or_insert(received_at);
        *newest = Ord::max(received_at, *newest);
        if let Some(Row::Present { row, .. }) = self.rows.get_mut(id.as_str()) {
            let last = E::last_event_at(row);
            *last = Ord::max(received_at, *last);
        }
    }

    /// Adds the rows that have changed to what is to be written, and moves the newest event's time of others.
    pub(super) async fn write<C: ConnectionTrait>(self, db: &C, batch: &mut Batch) -> Result<(), StoreError> {
        let mut touched = self.touched;
        for (id, held) in self.rows {
            match held {
                Row::Present { row, is_changed: true } => {
                    touched.remove(&id);
                    batch.replace(&row);
                }
                Row::Absent(_) => {
                    touched.remove(&id);
                }
                Row::Present { is_changed: false, .. } => {}
            }
        }
        move_up::<E, C>(db, self.provider, touched).await
    }

    fn one_of(&self, ids: Vec<&str>) -> Condition {
        Condition::all()
            .add_option(self.provider.map(|(column, provider)| column.eq(provider.as_str())))
            .add(E::VENDOR_ID.is_in(ids))
    }

    /// When the newest event of those that belong to things without a row was received.
    async fn newest_events<C: ConnectionTrait>(
        &self,
        db: &C,
        ids: &[&str],
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let newest: Vec<(String, i64)> = event::Entity::find()
            .select_only()
            .column(E::NAMED_BY)
            .column_as(event::Column::ReceivedAt.max(), "newest")
            .filter(
                Condition::all()
                    .add_option(self.provider.map(|(_, provider)| event::Column::Provider.eq(provider.as_str())))
                    .add(E::NAMED_BY.is_in(padded(ids.to_vec()))),
            )
            .group_by(E::NAMED_BY)
            .into_tuple()
            .all(db)
            .await?;
        Ok(newest.into_iter().collect())
    }
}

/// Moves the newest event's time of rows that are there.
async fn move_up<E: Projected, C: ConnectionTrait>(
    db: &C,
    provider: Option<(E::Column, Provider)>,
    touched: BTreeMap<String, i64>,
) -> Result<(), StoreError> {
    if touched.is_empty() {
        return Ok(());
    }
    let newest: Vec<ValueTuple> = touched.into_iter().map(|(id, at)| ValueTuple::Two(id.into(), at.into())).collect();
    let (id, at) = (("newest", "column1"), ("newest", "column2"));
    let mut update = Query::update()
        .table(E::default().table_ref())
        .value(E::LAST_EVENT_AT, Expr::col(at))
        .from(TableRef::ValuesList(padded(newest), "newest".into_iden()))
        .and_where(E::VENDOR_ID.into_expr().equals(id))
        .and_where(E::LAST_EVENT_AT.into_expr().lt(Expr::col(at)))
        .take();
    if let Some((column, provider)) = provider {
        update.and_where(column.eq(provider.as_str()));
    }
    db.execute(&update).await?;
    Ok(())
}
