//! An identity map: the rows of one table that a group of events changes. They are read together,
//! changed in memory, and written together.

use std::collections::{BTreeMap, BTreeSet};

use entity::event;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic};

use crate::domain::{Provider, VendorId};
use crate::store::sql::lookup::{LOOKUP_SECOND_VALUE, LOOKUP_VALUE, MATCH, lookup_rows};
use crate::store::{BulkInsert, StoreError};

/// A table with one row for each object of a vendor.
pub(super) trait ProjectionTable: EntityTrait<Model: Clone> {
    /// The column of the vendor's id.
    const VENDOR_ID: Self::Column;
    /// The event's column that names the object.
    const EVENT_COLUMN: event::Column;

    /// The time at which the newest event that belongs to the row was received.
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

/// The rows of such a table.
#[derive(Debug)]
pub(super) struct IdentityMap<E: ProjectionTable> {
    /// The provider of all rows and the column that names it, for a table whose vendor ids are
    /// unique only within one provider.
    provider: Option<(E::Column, Provider)>,
    rows: BTreeMap<String, RowState<E::Model>>,
}

#[derive(Debug)]
enum RowState<M> {
    /// The table has no such row. `newest_event_at` is when the newest event that belongs to the
    /// object was received, as far as it was looked up or touched here.
    Absent { newest_event_at: Option<i64>, is_looked_up: bool },
    /// The current row.
    Present { row: M, is_changed: bool },
}

impl<E: ProjectionTable> IdentityMap<E> {
    /// An empty map for a table whose key is the vendor's id.
    pub(super) const fn new() -> Self {
        Self { provider: None, rows: BTreeMap::new() }
    }

    /// An empty map for the rows of one provider, which `column` names.
    pub(super) const fn of_provider(column: E::Column, provider: Provider) -> Self {
        Self { provider: Some((column, provider)), rows: BTreeMap::new() }
    }

    /// Reads the rows of `ids` and `changing` that are not loaded yet. For those of `changing` that
    /// have no row, it also reads when their newest event was received.
    pub(super) async fn fetch<C: ConnectionTrait>(
        &mut self,
        db: &C,
        ids: BTreeSet<&VendorId>,
        changing: BTreeSet<&VendorId>,
    ) -> Result<(), StoreError> {
        let is_new = |id: &&str| !self.rows.contains_key(*id);
        let needs_lookup =
            |id: &&str| matches!(self.rows.get(*id), None | Some(RowState::Absent { is_looked_up: false, .. }));
        let ids = ids.into_iter().map(VendorId::as_str).filter(is_new).map(|id| (id, None));
        let changing = changing.into_iter().map(VendorId::as_str).filter(needs_lookup).map(|id| (id, Some(id)));
        let requested: BTreeMap<&str, Option<&str>> = ids.chain(changing).collect();
        if requested.is_empty() {
            return Ok(());
        }
        let results = db.query_all(&self.lookup_statement(db, &requested)).await?;
        for (id, changing) in requested {
            let state = self.rows.entry(id.to_owned());
            let state = state.or_insert(RowState::Absent { newest_event_at: None, is_looked_up: false });
            if let RowState::Absent { is_looked_up, .. } = state {
                *is_looked_up |= changing.is_some();
            }
        }
        for result in results {
            let Some(state) = self.rows.get_mut(&result.try_get_by_index::<String>(0)?) else { continue };
            let RowState::Absent { newest_event_at: newest, .. } = state else { continue };
            if result.try_get::<Option<String>>("", E::VENDOR_ID.as_str())?.is_some() {
                *state = RowState::Present { row: E::Model::from_query_result(&result, "")?, is_changed: false };
            } else {
                *newest = Ord::max(*newest, result.try_get_by_index(1)?);
            }
        }
        Ok(())
    }

    /// Selects the ids that have a row, with the row, and those in `changing` that have none but an
    /// event that belongs to them, with the time at which the newest such event was received. Of a
    /// new object it selects nothing: each row is handed over between threads.
    fn lookup_statement<C: ConnectionTrait>(
        &self,
        db: &C,
        requested: &BTreeMap<&str, Option<&str>>,
    ) -> SelectStatement {
        let matched = |column: E::Column| Expr::col((MATCH, column));
        let condition = Condition::all()
            .add(matched(E::VENDOR_ID).equals(LOOKUP_VALUE))
            .add_option(self.provider.map(|(column, provider)| matched(column).eq(provider.as_str())));
        // For MAX of the bare column the database might scan the index of times, event after event.
        // For MAX of a sum it does not.
        let newest = Query::select()
            .expr(event::Column::ReceivedAt.into_expr().add(0).max())
            .from(event::Entity)
            .and_where(E::EVENT_COLUMN.into_expr().equals(LOOKUP_SECOND_VALUE))
            .and_where_option(self.provider.map(|(_, provider)| event::Column::Provider.eq(provider.as_str())))
            .take();
        let newest = Expr::case(matched(E::VENDOR_ID).is_null(), Expr::SubQuery(None, Box::new(newest.into())));
        let requested: Vec<[Option<&str>; 2]> = requested.iter().map(|(id, changing)| [Some(*id), *changing]).collect();
        let newest: Expr = newest.into();
        let mut lookup = lookup_rows::<E, C>(db, &requested, [Expr::col(LOOKUP_VALUE), newest.clone()], condition);
        lookup.and_where(matched(E::VENDOR_ID).is_not_null().or(newest.is_not_null())).take()
    }

    /// Whether an event that belongs to this id, which has no row, came before.
    pub(super) async fn has_events<C: ConnectionTrait>(&mut self, db: &C, id: &VendorId) -> Result<bool, StoreError> {
        self.fetch(db, BTreeSet::new(), BTreeSet::from([id])).await?;
        Ok(matches!(self.rows.get(id.as_str()), Some(RowState::Absent { newest_event_at: Some(_), .. })))
    }

    /// The row of this id.
    pub(super) async fn get<C: ConnectionTrait>(
        &mut self,
        db: &C,
        id: &VendorId,
    ) -> Result<Option<E::Model>, StoreError> {
        self.fetch(db, BTreeSet::from([id]), BTreeSet::new()).await?;
        Ok(self.loaded(id).cloned())
    }

    /// The same, if it is loaded.
    pub(super) fn loaded(&self, id: &VendorId) -> Option<&E::Model> {
        match self.rows.get(id.as_str()) {
            Some(RowState::Present { row, .. }) => Some(row),
            Some(RowState::Absent { .. }) | None => None,
        }
    }

    /// Replaces a row, or adds it.
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

    /// Records that an event which belongs to the row was received at this time.
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

    /// Adds the changed rows to the batch.
    pub(super) fn stage_changes(self, batch: &mut BulkInsert) {
        for state in self.rows.into_values() {
            match state {
                RowState::Present { row, is_changed: true } => batch.upsert(&row),
                RowState::Present { is_changed: false, .. } | RowState::Absent { .. } => {}
            }
        }
    }
}
