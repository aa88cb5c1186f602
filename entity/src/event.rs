//! The log: one row an event, which never changes. The projections can be rebuilt from it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// The event's number in the log, in commit order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub provider: String,
    pub kind: String,
    /// The vendor's type of its first delivery.
    pub vendor_type: String,
    /// The subject, unique within its provider: `proposal:11051955`.
    pub subject: String,
    /// The hash that makes two deliveries the same event: SHA-256 in hexadecimal digits.
    pub identity: String,
    pub status: Option<String>,
    pub occurred_at: Option<i64>,
    pub received_at: i64,
    /// The signed time `t` of its first delivery, in seconds.
    pub signed_at: Option<i64>,
    /// The vendor's time of the state, else the time of receipt. Nothing reads it.
    pub order_key: i64,
    pub proposal_vendor_id: Option<String>,
    pub client_vendor_id: Option<String>,
    pub project_vendor_id: Option<String>,
    pub drawing_vendor_id: Option<String>,
    /// The request body of its first delivery, as received.
    pub body: String,
    /// The status that the proposal had just before.
    pub previous_status: Option<String>,
    /// Of a view: the quarter of an hour in which it was, counted since 1970.
    pub view_slot: Option<i64>,
    /// Whether the event is counted in its proposal's row and the two columns before; null if a
    /// node of an earlier version recorded it.
    pub is_counted: Option<bool>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
