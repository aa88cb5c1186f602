//! How rows are sorted: the orders of a list, and the position of a row in one.

use super::value::Micros;
use super::{Position, Sort, SortValue};
use crate::domain::Seq;
use crate::store::StoreError;
use crate::store::sql::json_rows::{Columns, ReadRow};

/// A row of a list that can be sorted.
pub trait Sortable: ReadRow {
    /// The columns that distinguish rows of the same sort value.
    const TIE_BREAKERS: &'static [&'static str];
    /// The order of a list if a request names none: the newest first.
    const DEFAULT_ORDER: Sort;

    /// The column that an order needs besides the key.
    fn order_column(sort: Sort) -> Columns {
        Self::find_column(|column| column == sort.column)
    }

    /// The row's position in the list.
    fn position(&self, sort: Sort) -> Result<Position, StoreError>;
}

impl From<&i64> for SortValue {
    fn from(number: &i64) -> Self {
        Self::Integer(*number)
    }
}

impl From<&Seq> for SortValue {
    fn from(seq: &Seq) -> Self {
        Self::Integer(seq.0)
    }
}

impl From<&Micros> for SortValue {
    fn from(time: &Micros) -> Self {
        Self::Integer(time.0)
    }
}

impl From<&String> for SortValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

pub(super) fn unknown_order(sort: Sort) -> StoreError {
    StoreError::Unreadable(format!("no rows are sorted by {}", sort.column))
}

/// Defines the orders of a row: its sort columns, of which the first gives the default order, and
/// the keys that order rows of the same value. A row may have its key as its only order.
macro_rules! sortable {
    ($row:ident by $default:ident $(, $column:ident)*; then $($tie_breaker:ident),+) => {
        impl $crate::store::read::order::Sortable for $row {
            const TIE_BREAKERS: &'static [&'static str] = &[$(stringify!($tie_breaker)),+];
            const DEFAULT_ORDER: $crate::store::read::Sort =
                $crate::store::read::Sort { column: stringify!($default), tie_breakers: Self::TIE_BREAKERS, descending: true };

            fn position(&self, sort: $crate::store::read::Sort) -> Result<$crate::store::read::Position, $crate::store::StoreError> {
                let key = match sort.column {
                    stringify!($default) => self.$default.get()?.into(),
                    $(stringify!($column) => self.$column.get()?.into(),)*
                    _ => return Err($crate::store::read::order::unknown_order(sort)),
                };
                Ok($crate::store::read::Position { key, ties: vec![$(self.$tie_breaker.to_string()),+] })
            }
        }
    };
    ($row:ident by key $number:ident) => {
        impl $crate::store::read::order::Sortable for $row {
            const TIE_BREAKERS: &'static [&'static str] = &[];
            const DEFAULT_ORDER: $crate::store::read::Sort =
                $crate::store::read::Sort { column: stringify!($number), tie_breakers: Self::TIE_BREAKERS, descending: true };

            fn position(&self, _: $crate::store::read::Sort) -> Result<$crate::store::read::Position, $crate::store::StoreError> {
                Ok($crate::store::read::Position { key: (&self.$number).into(), ties: Vec::new() })
            }
        }
    };
}

pub(super) use sortable;
