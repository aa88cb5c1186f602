//! A proposal of either vendor as it is now.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub vendor_id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub status: Option<String>,
    pub vendor_status: Option<String>,
    pub is_draft: Option<bool>,
    pub owner: Option<String>,
    pub currency: Option<String>,
    pub total: Option<i64>,
    pub one_time_fees: Option<i64>,
    pub monthly_fees: Option<i64>,
    pub yearly_fees: Option<i64>,
    pub tax: Option<i64>,
    pub tax2: Option<i64>,
    pub discount: Option<i64>,
    pub customer_name: Option<String>,
    pub customer_email: Option<String>,
    pub client_vendor_id: Option<String>,
    pub project_vendor_id: Option<String>,
    pub drawing_vendor_id: Option<String>,
    pub url: Option<String>,
    pub app_url: Option<String>,
    pub created_at: Option<i64>,
    pub updated_at: Option<i64>,
    /// The newest vendor's time of an event that changed the row; the least number if none had one.
    pub order_key: i64,
    /// The newest signed time of such an event without a vendor's time, in microseconds.
    pub signed_order: Option<i64>,
    /// The fields that an event gave as null, as a JSON list.
    pub cleared: Option<String>,
    pub first_seen_at: i64,
    pub last_event_at: i64,
    pub created_order: i64,
    pub updated_order: i64,
    pub total_order: i64,
    /// As `name_sort`, for nodes of the version before.
    pub name_order: String,
    /// As `name_search`, for nodes of the version before.
    pub name_folded: String,
    pub name_sort: String,
    pub name_search: String,
    /// When it was first sent.
    pub sent_at: Option<i64>,
    pub first_viewed_at: Option<i64>,
    pub last_viewed_at: Option<i64>,
    pub view_count: i64,
    /// When its status became the one that ends it; null while it is open.
    pub decided_at: Option<i64>,
    /// The sum of all payments on it.
    pub paid: i64,
    /// Vendor, status and currency, by which proposals are counted: `BIDSKETCH ACCEPTED USD`. Empty
    /// if a node of an earlier version inserted the row.
    pub stats_key: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
