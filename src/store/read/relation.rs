//! How rows belong together: the column in which children name their parent, and the rows that have
//! a vendor id as their key.

use sea_orm::sea_query::{Condition, Expr, ExprTrait};

use super::{ClientRow, DrawingRow, ProjectRow};
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

/// A row whose key is the vendor's id alone.
pub trait HasVendorId: ReadRow {
    /// The id.
    fn vendor_id(&self) -> &VendorId;
}

macro_rules! has_vendor_id {
    ($($row:ty),+) => {
        $(impl HasVendorId for $row {
            fn vendor_id(&self) -> &VendorId {
                &self.vendor_id
            }
        })+
    };
}

has_vendor_id!(ProjectRow, DrawingRow, ClientRow);
