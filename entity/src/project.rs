//! An ArcSite project as it is now.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub vendor_id: String,
    pub name: Option<String>,
    pub job_number: Option<String>,
    pub tags: Option<String>,
    pub customer: Option<String>,
    pub work_site_address: Option<String>,
    pub sales_rep: Option<String>,
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
    /// As `name_sort`, for nodes of the version before.
    pub name_order: String,
    /// As `name_search`, for nodes of the version before.
    pub name_folded: String,
    pub name_sort: String,
    pub name_search: String,
    /// The job number, to search by; null if it is too long for an index.
    pub job_number_key: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
