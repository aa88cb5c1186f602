//! The audit: who changed what, and when.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// In the order in which the entries were committed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub at: i64,
    pub kind: String,
    /// The name of the key that did it; null if no key did.
    pub actor: Option<String>,
    pub action: String,
    pub detail: Option<String>,
    /// How many times it happened.
    pub count: i64,
    /// Equal for what is summed in one row, such as the refusals of an hour.
    pub sum_key: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
