//! A page of a list that is read newest first, by place: rows that are added meanwhile move nothing.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::store::StoreError;

/// Which part of a newest-first list is asked for. Places are exclusive.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Only what is older than this place.
    pub older_than: Option<i64>,
    /// Only what is newer than this place.
    pub newer_than: Option<i64>,
    /// How many rows at most.
    pub limit: u64,
    /// Take the oldest rows of the part rather than the newest; they are still given newest first.
    pub from_the_end: bool,
}

/// The rows of a window, newest first.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether newer rows than these are in the list.
    pub has_newer: bool,
    /// Whether older rows than these are in the list.
    pub has_older: bool,
}

/// Reads a window of a list whose places are in `place`.
pub(super) async fn read<C, E, M>(
    db: &C,
    list: Select<E>,
    place: E::Column,
    window: Window,
) -> Result<Page<M>, StoreError>
where
    C: ConnectionTrait,
    E: EntityTrait<Model = M>,
    M: FromQueryResult + Send,
{
    let mut list = list;
    if let Some(older_than) = window.older_than {
        list = list.filter(place.lt(older_than));
    }
    if let Some(newer_than) = window.newer_than {
        list = list.filter(place.gt(newer_than));
    }
    let order = if window.from_the_end { Order::Asc } else { Order::Desc };
    // One row more than asked for tells whether there are more.
    let mut rows = list.order_by(place, order).limit(window.limit + 1).all(db).await?;
    let has_more = u64::try_from(rows.len()).is_ok_and(|found| found > window.limit);
    rows.truncate(usize::try_from(window.limit).unwrap_or(usize::MAX));
    // What lies behind a given place is there, or was: the cursor came from it.
    if window.from_the_end {
        rows.reverse();
        Ok(Page { rows, has_newer: has_more, has_older: window.older_than.is_some() })
    } else {
        Ok(Page { rows, has_newer: window.newer_than.is_some(), has_older: has_more })
    }
}
