//! A Bidsketch client as it is now.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub vendor_id: String,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub alt_phone: Option<String>,
    pub website: Option<String>,
    pub address_field_one: Option<String>,
    pub address_field_two: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_zip: Option<String>,
    pub country: Option<String>,
    pub notes: Option<String>,
    pub other_contact: Option<String>,
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
    /// As `name_sort`, for nodes of the version before.
    pub name_order: String,
    /// As `name_search`, for nodes of the version before.
    pub name_folded: String,
    pub name_sort: String,
    pub name_search: String,
    /// As `email_search`, for nodes of the version before.
    pub email_folded: Option<String>,
    /// As `city_search`, for nodes of the version before.
    pub city_folded: Option<String>,
    pub email_search: Option<String>,
    pub city_search: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
