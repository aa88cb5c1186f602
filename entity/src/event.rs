//! The log: one row an event, never changed once written. Projections can be rebuilt from it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Place in the log, in the order of commits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub provider: String,
    pub kind: String,
    /// The vendor's own name it first arrived under.
    pub vendor_type: String,
    /// What the event is about, within its provider: `proposal:11051955`.
    pub subject: String,
    /// Hexadecimal SHA-256 of what makes two deliveries the same event.
    pub identity: String,
    pub status: Option<String>,
    pub occurred_at: Option<i64>,
    pub received_at: i64,
    /// The `t` of the signature it first arrived with, in seconds.
    pub signed_at: Option<i64>,
    /// Where the event stands in the order of its subject's state.
    pub order_key: i64,
    pub proposal_vendor_id: Option<String>,
    pub client_vendor_id: Option<String>,
    pub project_vendor_id: Option<String>,
    pub drawing_vendor_id: Option<String>,
    /// The request body as received.
    pub body: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
