//! Pages of lists, by position and not by offset: rows that are added or moved meanwhile shift
//! nothing.
//!
//! A position is the value of the sort column and the ids that distinguish rows of the same value.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Order, Query, SelectStatement};
use serde::{Deserialize, Serialize};

use super::Filterable;
use super::order::Sortable;
use super::relation::Relation;
use super::row_search::{self, SearchBound};
use crate::domain::text::replace_nul;
use crate::metrics::READS;
use crate::store::engine::dialect::Dialect;
use crate::store::sql::json_rows::{self, Columns, ReadRow};
use crate::store::{Reader, StoreError};

/// The order of a list: a column, and the columns that distinguish rows of the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The sort column, which is never null.
    pub column: &'static str,
    /// The columns of the key.
    pub tie_breakers: &'static [&'static str],
    /// Whether the largest comes first.
    pub descending: bool,
}

/// A row's position in a list. Cursors contain it: its fields' names must not change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The value of the sort column.
    pub key: SortValue,
    /// The values of the tie breakers.
    pub ties: Vec<String>,
}

/// A value of a sort column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// A number or a time.
    Integer(i64),
    /// A text.
    Text(String),
}

/// The requested part of a list. Its positions are exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Only the rows after this position.
    pub after: Option<Position>,
    /// Only the rows before this position.
    pub before: Option<Position>,
    /// How many rows at most.
    pub limit: u64,
    /// Takes the last rows of the part instead of the first. They are still in the list's order.
    pub backward: bool,
}

/// The rows of a window, in the list's order.
#[derive(Clone, Debug)]
pub struct Page<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Whether rows come before these.
    pub has_previous: bool,
    /// Whether rows come after these.
    pub has_next: bool,
}

impl Window {
    /// One row more than the page shows whether there are more.
    pub(in crate::store) const fn fetch_limit(&self) -> u64 {
        self.limit + 1
    }

    /// The page from the fetched rows, which are in the list's order, or in the opposite order if
    /// the window is backward.
    pub(in crate::store) fn to_page<R>(&self, mut rows: Vec<R>) -> Page<R> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        // The row of a given position is on the other side of it, or was: the cursor came from it.
        if self.backward {
            rows.reverse();
            Page { rows, has_previous: has_more, has_next: self.before.is_some() }
        } else {
            Page { rows, has_previous: self.after.is_some(), has_next: has_more }
        }
    }

    /// A page without rows.
    #[must_use]
    pub fn empty_page<R>(&self) -> Page<R> {
        self.to_page(Vec::new())
    }
}

impl Sort {
    fn direction(self, window: &Window) -> Order {
        if self.descending == window.backward { Order::Asc } else { Order::Desc }
    }

    /// The conditions that the window's positions set. They compare tuples, which an index can
    /// answer.
    pub(super) fn position_condition(self, window: &Window) -> Condition {
        let values = |position: &Position| {
            let sort_value = match &position.key {
                SortValue::Integer(number) => Expr::val(*number),
                SortValue::Text(text) => Expr::val(replace_nul(text.clone())),
            };
            Expr::tuple(
                [sort_value].into_iter().chain(position.ties.iter().map(|id| Expr::val(replace_nul(id.clone())))),
            )
        };
        let columns = || Expr::tuple(self.columns().map(Expr::col));
        let condition = |position: &Position, is_after: bool| {
            if is_after == self.descending { columns().lt(values(position)) } else { columns().gt(values(position)) }
        };
        Condition::all()
            .add_option(window.after.as_ref().map(|position| condition(position, true)))
            .add_option(window.before.as_ref().map(|position| condition(position, false)))
    }

    fn columns(self) -> impl Iterator<Item = &'static str> {
        [self.column].into_iter().chain(self.tie_breakers.iter().copied())
    }
}

/// Reads a window of the rows that match a filter.
///
/// # Errors
///
/// [`StoreError::OverBudget`] also if a search without an index reads more rows than the
/// connection's budget has left.
pub async fn fetch_page<F: Filterable>(
    db: &Reader,
    columns: Columns,
    filter: &F,
    sort: Sort,
    window: &Window,
) -> Result<Page<F::Row>, StoreError> {
    let condition = match Dialect::of(db.get_database_backend()) {
        Dialect::Sqlite => filter.sqlite_page_condition(),
        Dialect::Postgres => filter.condition(),
    };
    let Some(indexed) = filter.indexed_condition() else {
        let statement = page_statement::<F::Row>(columns, condition, sort, window);
        return Ok(window.to_page(json_rows::fetch_rows(db, statement, columns).await?));
    };
    let bound = SearchBound::find::<F>(db, indexed.clone(), sort, window).await?;
    let statement = page_statement::<F::Row>(columns, condition.add(bound.condition(sort)), sort, window);
    let rows = json_rows::fetch_rows::<F::Row>(db, statement, columns).await?;
    let is_full = u64::try_from(rows.len()).is_ok_and(|found| found >= window.fetch_limit());
    let last = match rows.last().filter(|_| is_full).map(|row| row.position(sort)).transpose()? {
        Some(Position { key: SortValue::Integer(key), .. }) => Some(key),
        Some(Position { key: SortValue::Text(_), .. }) | None => None,
    };
    bound.take_rows::<F>(db, indexed, (sort, window), last).await?;
    Ok(window.to_page(rows))
}

/// How many rows match a filter.
///
/// # Errors
///
/// As [`fetch_page`].
pub async fn count_matching<F: Filterable>(db: &Reader, filter: &F) -> Result<u64, StoreError> {
    if let Some(indexed) = filter.indexed_condition() {
        row_search::take_all_rows::<F::Row>(db, indexed).await?;
    }
    count::<F::Row>(db, filter.condition()).await
}

/// The statement of a page, without the JSON encoding.
pub(super) fn page_statement<R: ReadRow>(
    columns: Columns,
    condition: Condition,
    sort: Sort,
    window: &Window,
) -> SelectStatement {
    let mut select = json_rows::select_columns::<R>(columns);
    select.cond_where(condition).cond_where(sort.position_condition(window)).limit(window.fetch_limit());
    for column in sort.columns() {
        select.order_by(column, sort.direction(window));
    }
    select
}

/// Reads a window of the children of each of several parents, in one statement and in the order of
/// the parents.
pub async fn fetch_child_pages<R: ReadRow>(
    db: &Reader,
    columns: Columns,
    relation: Relation,
    parents: &[String],
    (sort, window): (Sort, &Window),
) -> Result<Vec<Page<R>>, StoreError> {
    let select = child_page_statement::<R>(columns, relation, sort, window);
    let pages = json_rows::fetch_rows_per_key::<R>(db, parents, select, columns).await?;
    Ok(pages.into_iter().map(|rows| window.to_page(rows)).collect())
}

/// The statement for one parent: it reads only the rows of the page, along an index.
pub(super) fn child_page_statement<R: ReadRow>(
    columns: Columns,
    relation: Relation,
    sort: Sort,
    window: &Window,
) -> SelectStatement {
    let key = Expr::col((json_rows::encode::KEYS_TABLE, "value"));
    let key = if relation.is_number { key.cast_as("bigint") } else { key };
    let of_parent = Expr::col(relation.column).eq(key);
    page_statement::<R>(columns, relation.condition().add(of_parent), sort, window)
}

/// How many rows meet a condition.
pub async fn count<R: ReadRow>(db: &Reader, condition: Condition) -> Result<u64, StoreError> {
    metrics::counter!(READS).increment(1);
    let statement = Query::select().expr(Expr::cust("COUNT(*)")).from(R::TABLE).cond_where(condition).take();
    let Some(row) = db.query_one(&statement).await? else { return Ok(0) };
    let count: i64 = row.try_get_by_index(0)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// How many children each of several parents has.
pub async fn count_children<R: ReadRow>(
    db: &Reader,
    relation: Relation,
    parents: &[String],
) -> Result<HashMap<String, u64>, StoreError> {
    metrics::counter!(READS).increment(1);
    let parent = relation.column;
    let is_child = if relation.is_number {
        Expr::col(parent).is_in(parents.iter().filter_map(|key| key.parse::<i64>().ok()))
    } else {
        Expr::col(parent).is_in(parents.iter().map(String::as_str))
    };
    let statement = Query::select()
        .expr_as(Expr::col(parent).cast_as("text"), "parent")
        .expr_as(Expr::cust("COUNT(*)"), "children")
        .from(R::TABLE)
        .and_where(is_child)
        .cond_where(relation.condition())
        .group_by_col(parent)
        .take();
    let mut counts = HashMap::new();
    for row in db.query_all(&statement).await? {
        let count: i64 = row.try_get_by_index(1)?;
        counts.insert(row.try_get_by_index(0)?, u64::try_from(count).unwrap_or_default());
    }
    Ok(counts)
}
