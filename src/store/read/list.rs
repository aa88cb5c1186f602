//! Pages of lists, by place and not by number: rows that are added or move meanwhile shift nothing.
//!
//! A place is the value that the list is ordered by, and the ids that tell equals apart.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Order, Query, SelectStatement};
use serde::{Deserialize, Serialize};

use super::relation::Relation;
use crate::domain::VendorId;
use crate::domain::text::replace_nul;
use crate::metrics::READS;
use crate::store::sql::json_rows::{self, Columns, ReadRow};
use crate::store::{Reader, StoreError};

/// What a list is ordered by: a column, and the columns that tell rows apart where it is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The column: never null.
    pub column: &'static str,
    /// The columns of the key.
    pub tie_breakers: &'static [&'static str],
    /// Largest first.
    pub descending: bool,
}

/// A row's place in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The value that the list is ordered by.
    pub key: SortValue,
    /// The ids that tell equals apart.
    pub ties: Vec<String>,
}

/// A value that a list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// A number or a time.
    Integer(i64),
    /// A text.
    Text(String),
}

/// Which part of a list is asked for. Places are exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Only what comes after this place.
    pub after: Option<Position>,
    /// Only what comes before this place.
    pub before: Option<Position>,
    /// How many rows at most.
    pub limit: u64,
    /// Take the last rows of the part rather than the first; they are still given in the list's order.
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
    /// How many rows tell a page and whether there are more.
    const fn fetch_limit(&self) -> u64 {
        self.limit + 1
    }

    /// The page of the rows that were fetched, which are in the order in which the window is taken.
    fn to_page<R>(&self, mut rows: Vec<R>) -> Page<R> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        // What lies on the other side of a place that was given is there, or was: the cursor came from it.
        if self.backward {
            rows.reverse();
            Page { rows, has_previous: more, has_next: self.before.is_some() }
        } else {
            Page { rows, has_previous: self.after.is_some(), has_next: more }
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

    /// The conditions that the window's places set. Columns in one order compare as a tuple, which an index can answer.
    fn position_condition(self, window: &Window) -> Condition {
        let place = |place: &Position| {
            let key = match &place.key {
                SortValue::Integer(number) => Expr::val(*number),
                SortValue::Text(text) => Expr::val(replace_nul(text.clone())),
            };
            Expr::tuple([key].into_iter().chain(place.ties.iter().map(|id| Expr::val(replace_nul(id.clone())))))
        };
        let columns = || Expr::tuple([self.column].into_iter().chain(self.tie_breakers.iter().copied()).map(Expr::col));
        let beyond = |of: &Position, further: bool| {
            if further == self.descending { columns().lt(place(of)) } else { columns().gt(place(of)) }
        };
        Condition::all()
            .add_option(window.after.as_ref().map(|of| beyond(of, true)))
            .add_option(window.before.as_ref().map(|of| beyond(of, false)))
    }

    fn columns(self) -> impl Iterator<Item = &'static str> {
        [self.column].into_iter().chain(self.tie_breakers.iter().copied())
    }
}

/// Reads a window of all rows that meet a condition, in one statement.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn fetch_page<R: ReadRow>(
    db: &Reader,
    columns: Columns,
    condition: Condition,
    sort: Sort,
    window: &Window,
) -> Result<Page<R>, StoreError> {
    Ok(window.to_page(json_rows::fetch_rows(db, page_statement::<R>(columns, condition, sort, window), columns).await?))
}

/// The statement of [`page`], without the packing.
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

/// Reads a window of the children of each of several parents, in one statement and in the order of the parents.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn fetch_child_pages<R: ReadRow>(
    db: &Reader,
    columns: Columns,
    kinship: Relation,
    parents: &[String],
    (sort, window): (Sort, &Window),
) -> Result<Vec<Page<R>>, StoreError> {
    let select = child_page_statement::<R>(columns, kinship, sort, window);
    let pages = json_rows::fetch_rows_per_key::<R>(db, parents, select, columns).await?;
    Ok(pages.into_iter().map(|rows| window.to_page(rows)).collect())
}

/// For a parent, along an index, the rows of its page and no others.
pub(super) fn child_page_statement<R: ReadRow>(
    columns: Columns,
    kinship: Relation,
    sort: Sort,
    window: &Window,
) -> SelectStatement {
    let of_parent = Expr::col(kinship.column).eq(Expr::col((json_rows::encode::KEYS_TABLE, "value")));
    page_statement::<R>(columns, kinship.condition().add(of_parent), sort, window)
}

/// How many rows meet a condition.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn count<R: ReadRow>(db: &Reader, condition: Condition) -> Result<u64, StoreError> {
    metrics::counter!(READS).increment(1);
    let statement = Query::select().expr(Expr::cust("COUNT(*)")).from(R::TABLE).cond_where(condition).take();
    let Some(row) = db.query_one(&statement).await? else { return Ok(0) };
    let count: i64 = row.try_get_by_index(0)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// How many children each of several parents has.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn count_children<R: ReadRow>(
    db: &Reader,
    kinship: Relation,
    parents: impl IntoIterator<Item = VendorId>,
) -> Result<HashMap<VendorId, u64>, StoreError> {
    metrics::counter!(READS).increment(1);
    let parent = kinship.column;
    let statement = Query::select()
        .column(parent)
        .expr_as(Expr::cust("COUNT(*)"), "children")
        .from(R::TABLE)
        .and_where(Expr::col(parent).is_in(parents.into_iter().map(VendorId::into_string)))
        .cond_where(kinship.condition())
        .group_by_col(parent)
        .take();
    let mut counts = HashMap::new();
    for row in db.query_all(&statement).await? {
        let count: i64 = row.try_get_by_index(1)?;
        counts.insert(VendorId::from_stored(row.try_get_by_index(0)?), u64::try_from(count).unwrap_or_default());
    }
    Ok(counts)
}
