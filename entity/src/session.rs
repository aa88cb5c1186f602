//! The sessions of browsers. A session's token is not stored, only its hash.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Random, so that no later session has the number of one that is over.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// The SHA-256 of the token in the cookie, in hexadecimal.
    pub token_hash: String,
    /// The key that was exchanged for it. The session ends with that key.
    pub key_id: i64,
    pub created_at: i64,
    /// When it is over at the latest.
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
