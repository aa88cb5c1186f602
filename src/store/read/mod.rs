//! Reads typed rows with the columns that the API requested.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Func, Query, SelectStatement};

mod client;
mod delivery;
mod drawing;
mod event;
mod event_size;
pub mod event_stats;
mod file;
pub mod filter;
pub mod list;
pub mod order;
mod payment;
mod project;
mod proposal;
pub mod proposal_stats;
pub mod relation;
mod row_search;
pub mod search;
pub mod value;

#[cfg(test)]
mod query_plan_tests;

pub use client::ClientRow;
pub use delivery::DeliveryRow;
pub use drawing::DrawingRow;
pub use event::EventRow;
pub use event_size::EventSizeRow;
pub use file::FileRow;
pub use filter::{
    ClientFilter, DeliveryFilter, DrawingFilter, EventFilter, PaymentFilter, ProjectFilter, ProposalFilter,
};
pub use list::{Page, Position, Sort, SortValue, Window};
pub use payment::PaymentRow;
pub use project::ProjectRow;
pub use proposal::ProposalRow;

use super::sql::json_rows::{self, Columns, ReadRow};
use super::{Reader, StoreError};
use crate::domain::{DeliveryOutcome, Money, Provider, Seq, VendorId};
use crate::metrics::READS;

/// A filter of a list, with the type of the list's rows.
pub trait Filterable {
    /// The rows of the list.
    type Row: ReadRow + order::Sortable;

    /// The filter as a condition.
    fn condition(&self) -> Condition;

    /// The part of the condition that indexes answer, if another part is a search through the rows
    /// that meet it. Such a search is bounded by the request's budget of rows.
    fn indexed_condition(&self) -> Option<Condition> {
        None
    }

    /// The filter as a condition on a page, in words that lead SQLite to the right index.
    fn sqlite_page_condition(&self) -> Condition {
        self.condition()
    }
}

macro_rules! filterable {
    ($($filter:ty => $row:ty),+ $(,)?) => {
        $(impl Filterable for $filter {
            type Row = $row;

            fn condition(&self) -> Condition {
                Self::condition(self)
            }
        })+
    };
}

impl Filterable for EventFilter {
    type Row = EventRow;

    fn condition(&self) -> Condition {
        Self::condition(self)
    }

    fn indexed_condition(&self) -> Option<Condition> {
        self.payload_contains.as_ref().map(|_| Self::indexed_condition(self))
    }

    fn sqlite_page_condition(&self) -> Condition {
        Self::sqlite_page_condition(self)
    }
}

filterable! {
    ProjectFilter => ProjectRow,
    DrawingFilter => DrawingRow,
    ClientFilter => ClientRow,
    ProposalFilter => ProposalRow,
    PaymentFilter => PaymentRow,
}

impl Filterable for DeliveryFilter {
    type Row = DeliveryRow;

    fn condition(&self) -> Condition {
        Self::condition(self)
    }

    fn sqlite_page_condition(&self) -> Condition {
        Self::sqlite_page_condition(self)
    }
}

/// The deliveries in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quarantine;

impl Filterable for Quarantine {
    type Row = DeliveryRow;

    fn condition(&self) -> Condition {
        Condition::all().add(Expr::col("outcome").eq(DeliveryOutcome::Quarantined.as_str()))
    }
}

/// Reads the rows with these vendor ids, in no order.
pub async fn by_vendor_ids<R: ReadRow>(
    db: &Reader,
    ids: impl IntoIterator<Item = VendorId>,
    columns: Columns,
) -> Result<Vec<R>, StoreError> {
    let ids = ids.into_iter().map(VendorId::into_string);
    let select = json_rows::select_columns::<R>(columns).and_where(Expr::col("vendor_id").is_in(ids)).take();
    json_rows::fetch_rows(db, select, columns).await
}

/// Reads the rows whose column holds one of these numbers, in the order of `order`.
pub async fn by_integers<R: ReadRow>(
    db: &Reader,
    column: &'static str,
    numbers: impl IntoIterator<Item = i64>,
    order: &'static str,
    columns: Columns,
) -> Result<Vec<R>, StoreError> {
    let select = json_rows::select_columns::<R>(columns)
        .and_where(Expr::col(column).is_in(numbers))
        .order_by(order, sea_orm::Order::Asc)
        .take();
    json_rows::fetch_rows(db, select, columns).await
}

/// Reads proposals by their vendor and id, in no order.
pub async fn proposals_by_key(
    db: &Reader,
    keys: &[(Provider, VendorId)],
    columns: Columns,
) -> Result<Vec<ProposalRow>, StoreError> {
    let keys = keys.iter().map(|(provider, id)| Expr::tuple([Expr::val(provider.as_str()), Expr::val(id.as_str())]));
    let key = Expr::tuple([Expr::col("provider"), Expr::col("vendor_id")]);
    let select = json_rows::select_columns::<ProposalRow>(columns).and_where(key.is_in(keys)).take();
    json_rows::fetch_rows(db, select, columns).await
}

/// The sum of all payments on each of these ArcSite proposals that has any; none if it is too large
/// for an amount.
pub async fn paid_totals(
    db: &Reader,
    proposals: impl IntoIterator<Item = VendorId>,
) -> Result<Vec<(VendorId, Option<Money>)>, StoreError> {
    /// The amounts are added in two parts, so that no sum overflows in the database.
    const PART: i64 = 1_000_000_000;
    let part = |operator| Expr::cust(format!("CAST(SUM(\"amount\" {operator} {PART}) AS bigint)"));
    metrics::counter!(READS).increment(1);
    let statement = Query::select()
        .column("proposal_vendor_id")
        .expr(part("/"))
        .expr(part("%"))
        .from(PaymentRow::TABLE)
        .and_where(Expr::col("proposal_vendor_id").is_in(proposals.into_iter().map(VendorId::into_string)))
        .group_by_col("proposal_vendor_id")
        .take();
    let mut totals = Vec::new();
    for row in db.query_all(&statement).await? {
        let (high, low): (i64, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        let total = high.checked_mul(PART).and_then(|high| high.checked_add(low)).map(Money);
        totals.push((VendorId::from_stored(row.try_get_by_index(0)?), total));
    }
    Ok(totals)
}

/// The vendor's types of the deliveries of these events, each once, in the order of their arrival.
pub async fn vendor_types(
    db: &Reader,
    events: impl IntoIterator<Item = i64>,
) -> Result<Vec<(Seq, String)>, StoreError> {
    metrics::counter!(READS).increment(1);
    let statement = Query::select()
        .columns(["event_seq", "vendor_type"])
        .from(DeliveryRow::TABLE)
        .and_where(Expr::col("event_seq").is_in(events))
        .and_where(Expr::col("vendor_type").is_not_null())
        .group_by_columns(["event_seq", "vendor_type"])
        .order_by_expr(Expr::cust("MIN(\"id\")"), sea_orm::Order::Asc)
        .take();
    let rows = db.query_all(&statement).await?;
    rows.iter().map(|row| Ok((Seq(row.try_get_by_index(0)?), row.try_get_by_index(1)?))).collect()
}

/// How many events a page of the log searches for a text in payloads. The next page continues
/// there.
pub const SEARCHED_EVENTS_MAX: i64 = 10_000;

/// Reads the next events that match, after a seq and up to another, oldest first, with all columns:
/// at most `limit`, and as many as have `bytes_max` bytes of bodies together. The first one may
/// have more. Whether others follow up to the other seq is told too.
pub async fn events_after(
    db: &Reader,
    filter: &EventFilter,
    (after, up_to): (Seq, Seq),
    (limit, bytes_max): (u64, u64),
) -> Result<(Vec<EventRow>, bool), StoreError> {
    let in_range = |select: &mut SelectStatement| {
        select
            .and_where(Expr::col("seq").gt(after.0))
            .and_where(Expr::col("seq").lte(up_to.0))
            .cond_where(filter.condition())
            .order_by("seq", sea_orm::Order::Asc)
            .limit(limit)
            .take()
    };
    let mut events = json_rows::select_columns::<EventRow>(EventRow::ALL);
    if limit <= 1 || up_to.0 - after.0 <= 1 {
        let rows = json_rows::fetch_rows(db, in_range(&mut events), EventRow::ALL).await?;
        let may_follow = up_to.0 - after.0 > 1 && !rows.is_empty();
        return Ok((rows, may_follow));
    }
    // The sizes come first, so that no more is read than is kept.
    let mut sizes = Query::select();
    let body_bytes = Func::cust("octet_length").arg(Expr::col("body"));
    sizes.from(EventRow::TABLE).column("seq").expr_as(body_bytes, "body_bytes");
    let sizes: Vec<EventSizeRow> = json_rows::fetch_rows(db, in_range(&mut sizes), EventSizeRow::ALL).await?;
    let (mut fitting, mut bytes) = (Vec::new(), 0);
    for row in &sizes {
        bytes += row.body_bytes.get()?;
        if bytes > bytes_max && !fitting.is_empty() {
            break;
        }
        fitting.push(row.seq.0);
    }
    let may_follow = fitting.len() < sizes.len() || u64::try_from(sizes.len()).is_ok_and(|found| found >= limit);
    if fitting.is_empty() {
        return Ok((Vec::new(), false));
    }
    Ok((by_integers(db, "seq", fitting, "seq", EventRow::ALL).await?, may_follow))
}
