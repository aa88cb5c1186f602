//! Searches through rows that no index answers, bounded by the request's budget of rows.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, Order};

use super::order::Sortable;
use super::{Filterable, SEARCHED_EVENTS_MAX, Sort, Window};
use crate::metrics::READS;
use crate::store::budget::Exceeded;
use crate::store::sql::json_rows::ReadRow;
use crate::store::{Reader, StoreError};

/// The rows that a search may read, from where its window begins: the key of the first row beyond
/// them, if there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct SearchBound {
    beyond: Option<i64>,
    is_descending: bool,
}

/// How many rows the request may still read.
fn rows_left(db: &Reader) -> u64 {
    db.budget().map_or(SEARCHED_EVENTS_MAX.unsigned_abs(), |budget| budget.rows_left())
}

impl SearchBound {
    /// The bound of a search in rows whose only sort column is their key.
    pub(super) async fn find<F: Filterable>(
        db: &Reader,
        indexed: Condition,
        sort: Sort,
        window: &Window,
    ) -> Result<Self, StoreError> {
        metrics::counter!(READS).increment(1);
        let is_descending = sort.descending != window.backward;
        let statement = Query::select()
            .column(sort.column)
            .from(F::Row::TABLE)
            .cond_where(indexed)
            .cond_where(sort.position_condition(window))
            .order_by(sort.column, if is_descending { Order::Desc } else { Order::Asc })
            .limit(1)
            .offset(rows_left(db))
            .take();
        let row = db.query_one(&statement).await?;
        Ok(Self { beyond: row.map(|row| row.try_get_by_index(0)).transpose()?, is_descending })
    }

    /// The condition on the rows within the bound.
    pub(super) fn condition(self, sort: Sort) -> Condition {
        let key = || Expr::col(sort.column);
        Condition::all()
            .add_option(self.beyond.map(|beyond| if self.is_descending { key().gt(beyond) } else { key().lt(beyond) }))
    }

    /// Takes the rows that a search has read from the budget. `last` is the key of the last one
    /// that it found, if it found as many as it needs.
    ///
    /// # Errors
    ///
    /// It did not, and rows beyond the bound may match too.
    pub(super) async fn take_rows<F: Filterable>(
        self,
        db: &Reader,
        indexed: Condition,
        (sort, window): (Sort, &Window),
        last: Option<i64>,
    ) -> Result<(), StoreError> {
        let Some(budget) = db.budget() else { return Ok(()) };
        if last.is_none() && self.beyond.is_some() {
            budget.exceed(Exceeded::Rows);
            return Err(StoreError::OverBudget);
        }
        let key = || Expr::col(sort.column);
        let searched = Condition::all()
            .add(indexed)
            .add(sort.position_condition(window))
            .add(self.condition(sort))
            .add_option(last.map(|last| if self.is_descending { key().gte(last) } else { key().lte(last) }));
        let searched = super::list::count::<F::Row>(db, searched).await?;
        budget.take_rows(usize::try_from(searched).unwrap_or(usize::MAX))
    }
}

/// Takes all rows that meet a condition from the budget, before they are searched.
pub(super) async fn take_all_rows<R: ReadRow + Sortable>(db: &Reader, indexed: Condition) -> Result<(), StoreError> {
    let Some(budget) = db.budget() else { return Ok(()) };
    metrics::counter!(READS).increment(1);
    let some = Query::select()
        .expr(Expr::cust("1"))
        .from(R::TABLE)
        .cond_where(indexed)
        .limit(budget.rows_left().saturating_add(1))
        .take();
    let statement = Query::select().expr(Expr::cust("COUNT(*)")).from_subquery(some, "some").take();
    let Some(row) = db.query_one(&statement).await? else { return Ok(()) };
    let rows: i64 = row.try_get_by_index(0)?;
    budget.take_rows(usize::try_from(rows).unwrap_or(usize::MAX))
}
