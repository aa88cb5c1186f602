//! An ArcSite drawing as it is now.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drawing")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub vendor_id: String,
    pub project_vendor_id: Option<String>,
    pub name: Option<String>,
    pub tags: Option<String>,
    pub pdf_url: Option<String>,
    pub png_url: Option<String>,
    pub file_name: Option<String>,
    /// The newest vendor's time of an event that changed the row; the least number if none had one.
    pub order_key: i64,
    /// The newest signed time of such an event without a vendor's time, in microseconds.
    pub signed_order: Option<i64>,
    /// The fields that an event gave as null, as a JSON list.
    pub cleared: Option<String>,
    pub first_seen_at: i64,
    pub last_event_at: i64,
    /// As `name_sort`, for nodes of the version before.
    pub name_order: String,
    /// As `name_search`, for nodes of the version before.
    pub name_folded: String,
    pub name_sort: String,
    pub name_search: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
