//! How rows are sorted: the column that an order reads, and the position of a row in it.

use super::{ClientRow, DeliveryRow, DrawingRow, EventRow, Position, ProjectRow, ProposalRow, Sort, SortValue};
use crate::store::sql::json_rows::{Columns, ReadRow};

/// A row of a list that can be sorted.
pub trait Sortable: ReadRow {
    /// The column that an order needs besides the key.
    fn order_column(sort: Sort) -> Columns;
    /// The value of the sort column.
    fn sort_value(&self, sort: Sort) -> SortValue;
    /// The values of [`Sort::tie_breakers`].
    fn tie_breakers(&self, sort: Sort) -> Vec<String>;

    /// The row's position in the list.
    fn position(&self, sort: Sort) -> Position {
        Position { key: self.sort_value(sort), ties: self.tie_breakers(sort) }
    }
}

macro_rules! sortable_by_column {
    ($row:ty, [$($tie_breaker:ident),*], $default:ident, { $($column:ident => $value:expr),* $(,)? }) => {
        impl Sortable for $row {
            fn order_column(sort: Sort) -> Columns {
                match sort.column {
                    $(stringify!($column) => Self::$column,)*
                    _ => Self::$default,
                }
            }

            fn sort_value(&self, sort: Sort) -> SortValue {
                match sort.column {
                    $(stringify!($column) => ($value)(self),)*
                    _ => SortValue::Integer(self.$default.0),
                }
            }

            fn tie_breakers(&self, _: Sort) -> Vec<String> {
                vec![$(self.$tie_breaker.to_string()),*]
            }
        }
    };
}

sortable_by_column!(ProjectRow, [vendor_id], last_event_at, {
    created_order => |row: &Self| SortValue::Integer(row.created_order),
    updated_order => |row: &Self| SortValue::Integer(row.updated_order),
    name_order => |row: &Self| SortValue::Text(row.name_order.clone()),
});
sortable_by_column!(DrawingRow, [vendor_id], last_event_at, {
    first_seen_at => |row: &Self| SortValue::Integer(row.first_seen_at.0),
    name_order => |row: &Self| SortValue::Text(row.name_order.clone()),
});
sortable_by_column!(ClientRow, [vendor_id], last_event_at, {
    created_order => |row: &Self| SortValue::Integer(row.created_order),
    updated_order => |row: &Self| SortValue::Integer(row.updated_order),
    name_order => |row: &Self| SortValue::Text(row.name_order.clone()),
});
sortable_by_column!(ProposalRow, [provider, vendor_id], last_event_at, {
    created_order => |row: &Self| SortValue::Integer(row.created_order),
    updated_order => |row: &Self| SortValue::Integer(row.updated_order),
    name_order => |row: &Self| SortValue::Text(row.name_order.clone()),
    total_order => |row: &Self| SortValue::Integer(row.total_order),
});

/// The log and the deliveries have one order each, that of their keys.
macro_rules! sortable_by_number {
    ($row:ty, $number:expr) => {
        impl Sortable for $row {
            fn order_column(_: Sort) -> Columns {
                Columns::NONE
            }

            fn sort_value(&self, _: Sort) -> SortValue {
                SortValue::Integer(($number)(self))
            }

            fn tie_breakers(&self, _: Sort) -> Vec<String> {
                Vec::new()
            }
        }
    };
}

sortable_by_number!(EventRow, |row: &Self| row.seq.0);
sortable_by_number!(DeliveryRow, |row: &Self| row.id);
