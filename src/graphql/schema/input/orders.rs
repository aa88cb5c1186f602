//! The orders of lists. Equal values are told apart by the vendors' ids, so that an order is always total.

use async_graphql::{Enum, InputObject};

use crate::graphql::schema::model::{client, drawing, project, proposal};
use crate::store::read::Sort;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum OrderDirection {
    /// Smallest, oldest, or first in the alphabet first.
    Asc,
    /// Largest, newest, or last in the alphabet first.
    Desc,
}

/// Defines an order: its fields, the column that each is answered by, and the input that names one.
macro_rules! define_order {
    ($list:literal, $input:ident, $field:ident, $ties:expr, { $($(#[$doc:meta])* $variant:ident => $column:literal,)+ }) => {
        #[doc = concat!("What ", $list, " are ordered by.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub(crate) enum $field {
            $($(#[$doc])* $variant,)+
        }

        #[doc = concat!("The order of ", $list, ".")]
        #[derive(Clone, Copy, Debug, InputObject)]
        pub(crate) struct $input {
            /// By what.
            field: $field,
            /// Which way.
            direction: OrderDirection,
        }

        impl $input {
            /// The order as the database has it.
            pub(crate) const fn sort(self) -> Sort {
                let column = match self.field { $($field::$variant => $column,)+ };
                Sort { column, tie_breakers: $ties, descending: matches!(self.direction, OrderDirection::Desc) }
            }
        }
    };
}

define_order!("projects", ProjectOrder, ProjectOrderField, project::TIE_BREAKERS, {
    /// When it was created at the vendor; where the vendor gave no time, when it was first seen.
    CreatedAt => "created_order",
    /// When it was last changed at the vendor; one without a time comes before all others.
    UpdatedAt => "updated_order",
    /// Its name, ignoring case, by the code points of its first 200 letters.
    Name => "name_order",
    /// When its newest event came.
    LastEventAt => "last_event_at",
});
define_order!("drawings", DrawingOrder, DrawingOrderField, drawing::TIE_BREAKERS, {
    /// Its name, ignoring case, by the code points of its first 200 letters.
    Name => "name_order",
    /// When its newest event came.
    LastEventAt => "last_event_at",
    /// When its first event came.
    FirstSeenAt => "first_seen_at",
});
define_order!("clients", ClientOrder, ClientOrderField, client::TIE_BREAKERS, {
    /// When it was created at the vendor; where the vendor gave no time, when it was first seen.
    CreatedAt => "created_order",
    /// When it was last changed at the vendor; one without a time comes before all others.
    UpdatedAt => "updated_order",
    /// Its name, ignoring case, by the code points of its first 200 letters.
    Name => "name_order",
    /// When its newest event came.
    LastEventAt => "last_event_at",
});
define_order!("proposals", ProposalOrder, ProposalOrderField, proposal::TIE_BREAKERS, {
    /// When it was created at the vendor; where the vendor gave no time, when it was first seen.
    CreatedAt => "created_order",
    /// When it was last changed at the vendor; one without a time comes before all others.
    UpdatedAt => "updated_order",
    /// Its name, ignoring case, by the code points of its first 200 letters.
    Name => "name_order",
    /// Its total as a number, whatever the currency; one whose total is not known comes before all others.
    Total => "total_order",
    /// When its newest event came.
    LastEventAt => "last_event_at",
});
