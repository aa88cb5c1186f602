//! How rows belong together: the column in which children name their parent, and the rows that have
//! a vendor id as their key.

use sea_orm::sea_query::{Condition, Expr, ExprTrait};

use crate::domain::{Provider, VendorId};
use crate::store::sql::json_rows::ReadRow;

/// How children name their parent: by a column, and by the vendor if the parent is a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relation {
    /// The children's column that names their parent.
    pub column: &'static str,
    /// The vendor, if the column's ids are unique only within one.
    pub provider: Option<Provider>,
}

impl Relation {
    pub(super) fn condition(self) -> Condition {
        Condition::all().add_option(self.provider.map(|provider| Expr::col("provider").eq(provider.as_str())))
    }
}

/// A row to which other rows belong.
pub trait Parent: ReadRow {
    /// The id by which they name it.
    fn vendor_id(&self) -> &VendorId;

    /// How they name it.
    fn child_relation(&self) -> Relation;
}

/// A row whose key is the vendor's id alone.
pub trait HasVendorId: Parent {}

/// Defines the column in which children name a row whose key is the vendor's id alone.
macro_rules! parent {
    ($row:ident named in $column:literal) => {
        impl $crate::store::read::relation::HasVendorId for $row {}

        impl $crate::store::read::relation::Parent for $row {
            fn vendor_id(&self) -> &VendorId {
                &self.vendor_id
            }

            fn child_relation(&self) -> $crate::store::read::relation::Relation {
                $crate::store::read::relation::Relation { column: $column, provider: None }
            }
        }
    };
}

pub(super) use parent;
