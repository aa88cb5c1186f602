//! The payments on ArcSite proposals: one row a payment event, which never changes.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_seq: i64,
    pub proposal_vendor_id: String,
    pub drawing_vendor_id: Option<String>,
    pub amount: i64,
    pub channel: String,
    pub method: Option<String>,
    pub paid_at: Option<i64>,
    /// A bare date, `YYYY-MM-DD`.
    pub paid_on: Option<String>,
    pub received_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
