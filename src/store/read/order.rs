//! How rows are sorted: the column that an order reads, and the position of a row in it.

use super::{ClientRow, DeliveryRow, DrawingRow, EventRow, Position, ProjectRow, ProposalRow, Sort, SortValue};
use crate::store::sql::json_rows::{Columns, ReadRow};

/// A row that stands in an order.
pub trait Ordered: ReadRow {
    /// The column that an order needs, besides the key.
    fn order_column(sort: Sort) -> Columns;
    /// The value of the column that the list is ordered by.
    fn order_key(&self, sort: Sort) -> SortValue;
    /// The values of [`Sort::ties`].
    fn ties(&self, sort: Sort) -> Vec<String>;

    /// Where the row stands.
    fn place(&self, sort: Sort) -> Position {
        Position { key: self.order_key(sort), ties: self.ties(sort) }
    }
}

macro_rules! ordered {
    ($row:ty, [$($tie:ident),*], $default:ident, { $($column:ident => $key:expr),* $(,)? }) => {
        impl Ordered for $row {
            fn order_column(sort: Sort) -> Columns {
                match sort.column {
                    $(stringify!($column) => Self::$column,)*
                    _ => Self::$default,
                }
            }

            fn order_key(&self, sort: Sort) -> SortValue {
                match sort.column {
                    $(stringify!($column) => ($key)(self),)*
                    _ => SortValue::Integer(self.$default.0),
                }
            }

            fn ties(&self, _: Sort) -> Vec<String> {
                vec![$(self.$tie.to_string()),*]
            }
        }
    };
}

ordered!(ProjectRow, [vendor_id], last_event_at, {
    created_order => |row: &Self| SortValue::Integer(row.created_order),
    updated_order => |row: &Self| SortValue::Integer(row.updated_order),
    name_order => |row: &Self| SortValue::Text(row.name_order.clone()),
});
ordered!(DrawingRow, [vendor_id], last_event_at, {
    first_seen_at => |row: &Self| SortValue::Integer(row.first_seen_at.0),
    name_order => |row: &Self| SortValue::Text(row.name_order.clone()),
});
ordered!(ClientRow, [vendor_id], last_event_at, {
    created_order => |row: &Self| SortValue::Integer(row.created_order),
    updated_order => |row: &Self| SortValue::Integer(row.updated_order),
    name_order => |row: &Self| SortValue::Text(row.name_order.clone()),
});
ordered!(ProposalRow, [provider, vendor_id], last_event_at, {
    created_order => |row: &Self| SortValue::Integer(row.created_order),
    updated_order => |row: &Self| SortValue::Integer(row.updated_order),
    name_order => |row: &Self| SortValue::Text(row.name_order.clone()),
    total_order => |row: &Self| SortValue::Integer(row.total_order),
});

/// The log and the deliveries have one order each, by their keys.
macro_rules! sortable_by_number {
    ($row:ty, $number:expr) => {
        impl Ordered for $row {
            fn order_column(_: Sort) -> Columns {
                Columns::NONE
            }

            fn order_key(&self, _: Sort) -> SortValue {
                SortValue::Integer(($number)(self))
            }

            fn ties(&self, _: Sort) -> Vec<String> {
                Vec::new()
            }
        }
    };
}

sortable_by_number!(EventRow, |row: &Self| row.seq.0);
sortable_by_number!(DeliveryRow, |row: &Self| row.id);
