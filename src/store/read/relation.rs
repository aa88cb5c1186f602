//! How rows belong together: the column by which children name their parent, and the rows that a vendor id names.

use sea_orm::sea_query::{Condition, Expr, ExprTrait};

use super::{ClientRow, DrawingRow, ProjectRow};
use crate::domain::{Provider, VendorId};
use crate::store::sql::json_rows::ReadRow;

/// Whose children are asked for: the column that names the parent, and for a proposal's its vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relation {
    /// The children's column that names their parent.
    pub column: &'static str,
    /// The vendor, where the column's ids are only unique within one.
    pub provider: Option<Provider>,
}

impl Relation {
    pub(super) fn condition(self) -> Condition {
        Condition::all().add_option(self.provider.map(|provider| Expr::col("provider").eq(provider.as_str())))
    }
}

/// The rows that are known by their vendor's id alone.
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
