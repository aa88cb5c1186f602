//! How many events there are in each bucket of time.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, IntoIden, Query, SelectStatement, TableRef, Value, ValueTuple};

use super::filter::EventFilter;
use super::{EventRow, row_search};
use crate::domain::{Bucket, EventKind, Provider};
use crate::metrics::READS;
use crate::store::sql::json_rows::ReadRow;
use crate::store::{Reader, StoreError};

/// The name of the buckets in the statement, whose columns are their number, and the times from
/// which and before which they count.
const BUCKETS: &str = "bucket";

/// How many events of a vendor and a kind a bucket has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventCount {
    /// The index of the bucket.
    pub bucket: usize,
    /// The vendor.
    pub provider: Provider,
    /// The kind.
    pub kind: EventKind,
    /// How many; at least one.
    pub count: i64,
}

/// Counts the events that match and were received within the buckets, in the order of the buckets.
///
/// # Errors
///
/// [`StoreError::OverBudget`] if a search for a text in payloads would read more rows than the
/// connection's budget has left.
pub async fn count_events(
    db: &Reader,
    filter: &EventFilter,
    buckets: &[Bucket],
) -> Result<Vec<EventCount>, StoreError> {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return Ok(Vec::new()) };
    if filter.payload_contains.is_some() {
        let searched = Condition::all()
            .add(filter.indexed_condition())
            .add(Expr::col("received_at").gte(first.from))
            .add(Expr::col("received_at").lt(last.before));
        row_search::take_all_rows::<EventRow>(db, searched).await?;
    }
    metrics::counter!(READS).increment(1);
    let unreadable = |column: &str| StoreError::Unreadable(format!("the {column} of an event"));
    let mut counts = Vec::new();
    for row in db.query_all(&count_statement(filter, buckets)).await? {
        let (bucket, provider, kind): (i64, String, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        counts.push(EventCount {
            bucket: usize::try_from(bucket).map_err(|_| unreadable("bucket"))?,
            provider: Provider::from_name(&provider).ok_or_else(|| unreadable("provider"))?,
            kind: EventKind::from_name(&kind).ok_or_else(|| unreadable("kind"))?,
            count: row.try_get_by_index(3)?,
        });
    }
    counts.sort_unstable();
    if let Some(budget) = db.budget() {
        budget.take_rows(counts.len())?;
    }
    Ok(counts)
}

/// The statement of [`count_events`]. The events of a bucket are read along their times.
pub(super) fn count_statement(filter: &EventFilter, buckets: &[Bucket]) -> SelectStatement {
    let rows = (0_i64..).zip(buckets).map(|(number, bucket)| {
        ValueTuple::Many([number, bucket.from, bucket.before].into_iter().map(Value::from).collect())
    });
    let column = |name: &'static str| Expr::col((BUCKETS, name));
    Query::select()
        .expr(column("column1"))
        .columns(["provider", "kind"])
        .expr(Expr::cust("COUNT(*)"))
        .from(TableRef::ValuesList(rows.collect(), BUCKETS.into_iden()))
        .from(EventRow::TABLE)
        .and_where(Expr::col("received_at").gte(column("column2")))
        .and_where(Expr::col("received_at").lt(column("column3")))
        .cond_where(filter.condition())
        .add_group_by([column("column1")])
        .group_by_columns(["provider", "kind"])
        .take()
}
