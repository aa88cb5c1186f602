//! How rows belong together: the column in which children name their parent, and the rows that have
//! a vendor id as their key.

use sea_orm::sea_query::{Condition, Expr, ExprTrait};

use crate::domain::{Provider, VendorId};
use crate::store::sql::json_rows::ReadRow;

/// How children name their parent: by a column, and in a list of several vendors by the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relation {
    /// The children's column that names their parent.
    pub column: &'static str,
    /// The vendor, if the column's ids are unique only within one.
    pub provider: Option<Provider>,
    /// Whether the column holds numbers, as the seq of an event. All others hold texts.
    pub is_number: bool,
    /// Other columns of the children, with the text that each must hold.
    pub only: &'static [(&'static str, &'static str)],
}

impl Relation {
    pub(super) fn condition(self) -> Condition {
        let provider = self.provider.map(|provider| Expr::col("provider").eq(provider.as_str()));
        let only = self.only.iter().map(|&(column, text)| Expr::col(column).eq(text));
        only.fold(Condition::all().add_option(provider), Condition::add)
    }
}

impl Relation {
    /// The deliveries of an event.
    pub const DELIVERIES: Self = Self { column: "event_seq", provider: None, is_number: true, only: &[] };
    /// The payments on an ArcSite proposal.
    pub const PAYMENTS: Self = Self { column: "proposal_vendor_id", provider: None, is_number: false, only: &[] };
}

/// A row to which other rows belong.
pub trait Parent: ReadRow {
    /// The id by which they name it.
    fn child_key(&self) -> String;

    /// How they name it.
    fn child_relation(&self) -> Relation;
}

/// A row whose key is the vendor's id alone.
pub trait HasVendorId: Parent {
    /// The vendor's id.
    fn vendor_id(&self) -> &VendorId;
}

/// Defines the column in which children name a row whose key is the vendor's id alone.
macro_rules! parent {
    ($row:ident named in $column:literal) => {
        impl $crate::store::read::relation::HasVendorId for $row {
            fn vendor_id(&self) -> &VendorId {
                &self.vendor_id
            }
        }

        impl $crate::store::read::relation::Parent for $row {
            fn child_key(&self) -> String {
                self.vendor_id.as_str().to_owned()
            }

            fn child_relation(&self) -> $crate::store::read::relation::Relation {
                $crate::store::read::relation::Relation { column: $column, provider: None, is_number: false, only: &[] }
            }
        }
    };
}

pub(super) use parent;
