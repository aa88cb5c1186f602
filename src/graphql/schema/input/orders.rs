//! The orders of lists. The vendors' ids break ties, so every order is total.

use async_graphql::{Enum, InputObject};

use crate::store::read::order::Sortable;
use crate::store::read::{ClientRow, DrawingRow, ProjectRow, ProposalRow, Sort};

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum OrderDirection {
    /// Ascending: the smallest, the oldest, or A first.
    Asc,
    /// Descending: the largest, the newest, or Z first.
    Desc,
}

/// Defines an order: the properties, the column of each, and the input.
macro_rules! define_order {
    ($list:literal, $input:ident, $field:ident, $row:ident, { $($(#[$doc:meta])* $variant:ident => $column:ident,)+ }) => {
        #[doc = concat!("The properties that ", $list, " can be sorted by. Equal values are sorted by the vendor's id.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub(crate) enum $field {
            $($(#[$doc])* $variant,)+
        }

        #[doc = concat!("How to sort ", $list, ": by one property, in one direction. Equal values follow the vendor's id, so no page repeats or skips one.")]
        #[derive(Clone, Copy, Debug, InputObject)]
        pub(crate) struct $input {
            /// The property to sort by. Names ignore case; a property that may be null says where
            /// null sorts.
            field: $field,
            /// DESC for the newest, the largest or Z first, ASC for the opposite.
            direction: OrderDirection,
        }

        impl $input {
            /// The order in terms of the database.
            pub(crate) const fn sort(self) -> Sort {
                let column = match self.field { $($field::$variant => stringify!($column),)+ };
                Sort { column, tie_breakers: $row::TIE_BREAKERS, descending: matches!(self.direction, OrderDirection::Desc) }
            }
        }
    };
}

define_order!("projects", ProjectOrder, ProjectOrderField, ProjectRow, {
    /// `createdAt`; if that is null, `firstSeenAt`.
    CreatedAt => created_order,
    /// `updatedAt`; null sorts as the oldest.
    UpdatedAt => updated_order,
    /// `name`, ignoring case and how it was typed, by the code points of its first 200 characters.
    Name => name_sort,
    /// `lastEventAt`: when the newest event arrived.
    LastEventAt => last_event_at,
});
define_order!("drawings", DrawingOrder, DrawingOrderField, DrawingRow, {
    /// `name`, ignoring case and how it was typed, by the code points of its first 200 characters.
    Name => name_sort,
    /// `lastEventAt`: when the newest event arrived.
    LastEventAt => last_event_at,
    /// `firstSeenAt`: when the first event of the drawing itself arrived.
    FirstSeenAt => first_seen_at,
});
define_order!("clients", ClientOrder, ClientOrderField, ClientRow, {
    /// `createdAt`; if that is null, `firstSeenAt`.
    CreatedAt => created_order,
    /// `updatedAt`; null sorts as the oldest.
    UpdatedAt => updated_order,
    /// `name`, ignoring case and how it was typed, by the code points of its first 200 characters.
    Name => name_sort,
    /// `lastEventAt`: when the newest event arrived.
    LastEventAt => last_event_at,
});
define_order!("proposals", ProposalOrder, ProposalOrderField, ProposalRow, {
    /// `createdAt`; if that is null, `firstSeenAt`.
    CreatedAt => created_order,
    /// `updatedAt`; null sorts as the oldest.
    UpdatedAt => updated_order,
    /// `name`, ignoring case and how it was typed, by the code points of its first 200 characters.
    Name => name_sort,
    /// `total` as a number, in whatever currency; null sorts as the smallest.
    Total => total_order,
    /// `lastEventAt`: when the newest event arrived.
    LastEventAt => last_event_at,
});
