//! The deliveries that were answered 200: an event's first one, its redeliveries, and those in
//! quarantine.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub provider: String,
    pub vendor_type: Option<String>,
    pub received_at: i64,
    /// The `t` of its signature, in seconds.
    pub signed_at: Option<i64>,
    pub outcome: String,
    pub quarantine_reason: Option<String>,
    pub detail: Option<String>,
    /// The received bytes, if they differ from the body of the event.
    pub body: Option<Vec<u8>>,
    pub event_seq: Option<i64>,
    /// The headers that matter, as a JSON list; null if an earlier version stored it.
    pub headers: Option<String>,
    /// The number of bytes received; null if an earlier version stored it.
    pub size_bytes: Option<i64>,
    /// If this redelivery renewed links: the newest event at that time.
    pub links_renewed_after: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
