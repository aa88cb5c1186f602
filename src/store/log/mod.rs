//! The log: its ends, appending to it, finding what a delivery repeats, and going through it again.

use entity::event::{Column, Entity};
use sea_orm::sea_query::{Expr, Func, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QuerySelect};

use super::StoreError;
use crate::domain::Seq;

mod append;
mod recorded;
mod twins;

pub use append::{Entry, append};
pub use recorded::{Recorded, count, recorded_after};
pub use twins::{Twin, Twins, body, disturbed_since};

/// The newest place in the log; [`Seq`] 0 where it is empty.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn head<C: ConnectionTrait>(db: &C) -> Result<Seq, StoreError> {
    let newest: Option<Option<i64>> =
        Entity::find().select_only().column_as(Column::Seq.max(), "newest").into_tuple().one(db).await?;
    Ok(Seq(newest.flatten().unwrap_or_default()))
}

/// The newest place in the log, and the newest delivery's number; 0 where there is none.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn ends<C: ConnectionTrait>(db: &C) -> Result<(Seq, i64), StoreError> {
    let newest = |column: &'static str, table: &'static str| {
        Expr::SubQuery(None, Box::new(Query::select().expr(Func::max(Expr::col(column))).from(table).take().into()))
    };
    let both = Query::select().expr(newest("seq", "event")).expr(newest("id", "delivery")).take();
    let Some(row) = db.query_one(&both).await? else { return Ok((Seq(0), 0)) };
    let (event, delivery): (Option<i64>, Option<i64>) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    Ok((Seq(event.unwrap_or_default()), delivery.unwrap_or_default()))
}
