//! API keys. A token is not stored, only its hash.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// Unique among the keys that are not revoked.
    pub name: String,
    pub scope: String,
    /// The SHA-256 of the token, in hexadecimal.
    pub token_hash: String,
    pub created_at: i64,
    pub revoked_at: Option<i64>,
    /// From then on it is refused; null if it never expires.
    pub expires_at: Option<i64>,
    /// When a service last noted that it was used.
    pub last_used_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
