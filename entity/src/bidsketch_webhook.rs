//! The webhooks at Bidsketch that are managed from here, those that are gone included: their URLs must stay dead.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidsketch_webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// Bidsketch's id, once it has answered.
    pub vendor_id: Option<String>,
    pub event: String,
    /// Where it sends to, its secret part masked.
    pub endpoint: String,
    /// SHA-256 of the whole endpoint: tells equal ones from others without keeping their secrets.
    pub endpoint_hash: String,
    /// SHA-256 of the token in our own hook URL; none where it sends to another place.
    pub token_hash: Option<String>,
    pub state: String,
    /// The event while this is the live webhook for it.
    pub live_event: Option<String>,
    /// Whether a later webhook for the event took its place: from then on its URL is dead.
    pub superseded: bool,
    /// What kind of error the last one was.
    pub error_code: Option<String>,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub last_delivery_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
