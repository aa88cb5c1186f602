//! The webhooks at Bidsketch that bidarc manages, also the deleted ones: their URLs must stay
//! retired.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidsketch_webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// Bidsketch's id, once it has answered.
    pub vendor_id: Option<String>,
    pub event: String,
    /// The URL that it sends to, with the secret part masked.
    pub endpoint: String,
    /// SHA-256 of the whole endpoint, which identifies it without a stored secret.
    pub endpoint_hash: String,
    /// SHA-256 of the token in the hook URL; null if it sends elsewhere.
    pub token_hash: Option<String>,
    pub state: String,
    /// The event while this is the live webhook for it.
    pub live_event: Option<String>,
    /// Whether a later webhook for the event took its place. Its URL is then retired.
    pub superseded: bool,
    /// The code of the last error.
    pub error_code: Option<String>,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub last_delivery_at: Option<i64>,
    /// How many deliveries came to its hook URL, as far as they were counted.
    pub delivery_count: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
