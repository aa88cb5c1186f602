//! Reads typed rows with the columns that the API requested.

use sea_orm::sea_query::{Condition, Expr, ExprTrait};

mod client;
mod delivery;
mod drawing;
mod event;
pub mod filter;
pub mod list;
pub mod order;
mod payment;
mod project;
mod proposal;
pub mod relation;
pub mod value;

#[cfg(test)]
mod query_plan_tests;

pub use client::ClientRow;
pub use delivery::DeliveryRow;
pub use drawing::DrawingRow;
pub use event::EventRow;
pub use filter::{ClientFilter, DeliveryFilter, DrawingFilter, EventFilter, ProjectFilter, ProposalFilter};
pub use list::{Page, Position, Sort, SortValue, Window};
pub use payment::PaymentRow;
pub use project::ProjectRow;
pub use proposal::ProposalRow;

use super::sql::json_rows::{self, Columns, ReadRow};
use super::{Reader, StoreError};
use crate::domain::{DeliveryOutcome, Provider, Seq, VendorId};

/// A filter of a list, with the type of the list's rows.
pub trait Filterable {
    /// The rows of the list.
    type Row: ReadRow + order::Sortable;

    /// The filter as a condition.
    fn condition(&self) -> Condition;
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

filterable! {
    EventFilter => EventRow,
    ProjectFilter => ProjectRow,
    DrawingFilter => DrawingRow,
    ClientFilter => ClientRow,
    ProposalFilter => ProposalRow,
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

/// Reads all payments on these ArcSite proposals, in the order of their events.
pub async fn payments_of_proposals(
    db: &Reader,
    proposals: impl IntoIterator<Item = VendorId>,
    columns: Columns,
) -> Result<Vec<PaymentRow>, StoreError> {
    let ids = proposals.into_iter().map(VendorId::into_string);
    let select = json_rows::select_columns::<PaymentRow>(columns)
        .and_where(Expr::col("proposal_vendor_id").is_in(ids))
        .order_by("event_seq", sea_orm::Order::Asc)
        .take();
    json_rows::fetch_rows(db, select, columns).await
}

/// Reads the next events that match, after a seq and up to another, oldest first, at most `limit`,
/// with all columns.
pub async fn events_after(
    db: &Reader,
    filter: &EventFilter,
    (after, up_to): (Seq, Seq),
    limit: u64,
) -> Result<Vec<EventRow>, StoreError> {
    let select = json_rows::select_columns::<EventRow>(EventRow::ALL)
        .and_where(Expr::col("seq").gt(after.0))
        .and_where(Expr::col("seq").lte(up_to.0))
        .cond_where(filter.condition())
        .order_by("seq", sea_orm::Order::Asc)
        .limit(limit)
        .take();
    json_rows::fetch_rows(db, select, EventRow::ALL).await
}
