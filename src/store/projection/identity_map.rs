//! The rows of one table that a group of events changes: read together, changed here, written together.

use std::collections::{BTreeMap, BTreeSet};

use entity::event;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic};

use crate::domain::{Provider, VendorId};
use crate::store::sql::lookup::{LOOKUP_SECOND_VALUE, LOOKUP_VALUE, MATCH, lookup_rows};
use crate::store::{BulkInsert, StoreError};

/// A table with a row for each of a vendor's things.
pub(super) trait ProjectionTable: EntityTrait<Model: Clone> {
    /// The column of the vendor's id.
    const VENDOR_ID: Self::Column;
    /// Where an event says that it belongs to it.
    const EVENT_COLUMN: event::Column;

    /// When the newest event of those that belong to a row was received.
    fn last_event_at_mut(row: &mut Self::Model) -> &mut i64;
}

macro_rules! projection_tables {
    ($($table:ident is named by $column:ident),+ $(,)?) => {
        $(impl ProjectionTable for entity::$table::Entity {
            const VENDOR_ID: Self::Column = entity::$table::Column::VendorId;
            const EVENT_COLUMN: event::Column = event::Column::$column;

            fn last_event_at_mut(row: &mut Self::Model) -> &mut i64 {
                &mut row.last_event_at
            }
        })+
    };
}

projection_tables! {
    project is named by ProjectVendorId,
    drawing is named by DrawingVendorId,
    client is named by ClientVendorId,
    proposal is named by ProposalVendorId,
}

/// Rows of such a table.
#[derive(Debug)]
pub(super) struct IdentityMap<E: ProjectionTable> {
    /// Whose they are, and the column that says so, where a vendor's id is a thing's only together with its provider.
    provider: Option<(E::Column, Provider)>,
    rows: BTreeMap<String, RowState<E::Model>>,
}

#[derive(Debug)]
enum RowState<M> {
    /// There is none. Events may have come before it: when the newest of them was received, of those that were looked at.
    Absent { newest_event_at: Option<i64>, is_looked_up: bool },
    /// As it is now.
    Present { row: M, is_changed: bool },
}

impl<E: ProjectionTable> IdentityMap<E> {
    /// Rows that a vendor's id stands for.
    pub(super) const fn new() -> Self {
        Self { provider: None, rows: BTreeMap::new() }
    }

    /// Rows of one provider, which that column names.
    pub(super) const fn of_provider(column: E::Column, provider: Provider) -> Self {
        Self { provider: Some((column, provider)), rows: BTreeMap::new() }
    }

    /// Reads those rows that are not held yet; and of `changing` things that have none, when the newest of their events was received.
    pub(super) async fn fetch<C: ConnectionTrait>(
        &mut self,
        db: &C,
        ids: BTreeSet<&VendorId>,
        changing: BTreeSet<&VendorId>,
    ) -> Result<(), StoreError> {
        let is_new = |id: &&str| !self.rows.contains_key(*id);
        let is_unknown =
            |id: &&str| matches!(self.rows.get(*id), None | Some(RowState::Absent { is_looked_up: false, .. }));
        let ids = ids.into_iter().map(VendorId::as_str).filter(is_new).map(|id| (id, None));
        let changing = changing.into_iter().map(VendorId::as_str).filter(is_unknown).map(|id| (id, Some(id)));
        let asked: BTreeMap<&str, Option<&str>> = ids.chain(changing).collect();
        if asked.is_empty() {
            return Ok(());
        }
        for answer in db.query_all(&self.lookup_statement(db, &asked)).await? {
            // What the values are filled up by has no id.
            let Some(id) = answer.try_get_by_index::<Option<String>>(0)? else { continue };
            let found: Option<i64> = answer.try_get_by_index(1)?;
            let has_row = answer.try_get::<Option<String>>("", E::VENDOR_ID.as_str())?.is_some();
            let held = self.rows.entry(id);
            if has_row {
                let row = E::Model::from_query_result(&answer, "")?;
                held.or_insert(RowState::Present { row, is_changed: false });
            } else if let RowState::Absent { newest_event_at: newest, is_looked_up } =
                held.or_insert(RowState::Absent { newest_event_at: None, is_looked_up: false })
            {
                *newest = Ord::max(*newest, found);
                *is_looked_up = answer.try_get_by_index::<bool>(2)?;
            }
        }
        Ok(())
    }

    /// Of each id: itself, when the newest of its events was received, if that was asked for and there is no row, whether it was asked for,
    /// and the row.
    fn lookup_statement<C: ConnectionTrait>(&self, db: &C, asked: &BTreeMap<&str, Option<&str>>) -> SelectStatement {
        let of_it = |column: E::Column| Expr::col((MATCH, column));
        let is_it = Condition::all()
            .add(of_it(E::VENDOR_ID).equals(LOOKUP_VALUE))
            .add_option(self.provider.map(|(column, provider)| of_it(column).eq(provider.as_str())));
        // Of the time itself the maximum might be looked for along the index of times, event after event. Of a sum it is not.
        let newest = Query::select()
            .expr(event::Column::ReceivedAt.into_expr().add(0).max())
            .from(event::Entity)
            .and_where(E::EVENT_COLUMN.into_expr().equals(LOOKUP_SECOND_VALUE))
            .and_where_option(self.provider.map(|(_, provider)| event::Column::Provider.eq(provider.as_str())))
            .take();
        let newest = Expr::case(of_it(E::VENDOR_ID).is_null(), Expr::SubQuery(None, Box::new(newest.into())));
        let asked: Vec<[Option<&str>; 2]> = asked.iter().map(|(id, changing)| [Some(*id), *changing]).collect();
        lookup_rows::<E, C>(
            db,
            &asked,
            [Expr::col(LOOKUP_VALUE), newest.into(), Expr::col(LOOKUP_SECOND_VALUE).is_not_null()],
            is_it,
        )
    }

    /// The row of that id.
    pub(super) async fn get<C: ConnectionTrait>(
        &mut self,
        db: &C,
        id: &VendorId,
    ) -> Result<Option<E::Model>, StoreError> {
        self.fetch(db, BTreeSet::from([id]), BTreeSet::new()).await?;
        Ok(self.loaded(id).cloned())
    }

    /// The same, of those that were read.
    pub(super) fn loaded(&self, id: &VendorId) -> Option<&E::Model> {
        match self.rows.get(id.as_str()) {
            Some(RowState::Present { row, .. }) => Some(row),
            Some(RowState::Absent { .. }) | None => None,
        }
    }

    /// Gives a row another content, or a thing its first.
    pub(super) async fn upsert<C: ConnectionTrait>(
        &mut self,
        db: &C,
        id: &VendorId,
        mut row: E::Model,
    ) -> Result<(), StoreError> {
        self.fetch(db, BTreeSet::new(), BTreeSet::from([id])).await?;
        if let Some(RowState::Absent { newest_event_at: Some(newest), .. }) = self.rows.get(id.as_str()) {
            let last = E::last_event_at_mut(&mut row);
            *last = Ord::max(*last, *newest);
        }
        self.rows.insert(id.as_str().to_owned(), RowState::Present { row, is_changed: true });
        Ok(())
    }

    /// Notes that an event which belongs to it was received then.
    pub(super) async fn touch<C: ConnectionTrait>(
        &mut self,
        db: &C,
        id: &VendorId,
        received_at: i64,
    ) -> Result<(), StoreError> {
        self.fetch(db, BTreeSet::from([id]), BTreeSet::new()).await?;
        match self.rows.get_mut(id.as_str()) {
            Some(RowState::Present { row, is_changed }) => {
                let last = E::last_event_at_mut(row);
                *is_changed |= *last < received_at;
                *last = Ord::max(*last, received_at);
            }
            Some(RowState::Absent { newest_event_at: newest, .. }) => *newest = Ord::max(*newest, Some(received_at)),
            None => {}
        }
        Ok(())
    }

    /// Adds the rows that have changed to what is to be written.
    pub(super) fn stage_changes(self, batch: &mut BulkInsert) {
        for held in self.rows.into_values() {
            match held {
                RowState::Present { row, is_changed: true } => batch.upsert(&row),
                RowState::Present { is_changed: false, .. } | RowState::Absent { .. } => {}
            }
        }
    }
}
