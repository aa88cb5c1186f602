//! The log: its ends, appending to it, finding what a delivery repeats, and going through it again.

use entity::event::{Column, Entity};
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
