//! API keys. The database stores the hashes of their tokens, never the tokens.

use std::collections::HashMap;

use entity::key::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::StoreError;
use super::sql::convert::{from_micros, to_micros};
use crate::clock::Time;
use crate::domain::Scope;

/// An API key, without its token's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number.
    pub id: i64,
    /// Its name, which is unique among the keys that are not revoked.
    pub name: String,
    /// Its scope.
    pub scope: Scope,
    /// When it was added.
    pub created_at: Time,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
    /// From when on it is refused; none if it never expires.
    pub expires_at: Option<Time>,
    /// When a service last noted a use of it.
    pub last_used_at: Option<Time>,
}

impl ApiKey {
    /// Whether it is refused at this time because it has expired.
    #[must_use]
    pub fn is_expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// What a running service knows of a key that is not revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveKey {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its scope.
    pub scope: Scope,
    /// From when on it is refused; none if it never expires.
    pub expires_at: Option<Time>,
}

/// An API key to store.
#[derive(Debug)]
pub struct NewApiKey<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its scope.
    pub scope: Scope,
    /// The hash of its token.
    pub token_hash: &'a str,
    /// When it is added.
    pub created_at: Time,
    /// From when on it is refused; none if it never expires.
    pub expires_at: Option<Time>,
}

/// The keys that are not revoked, expired ones included, by the hashes of their tokens.
pub async fn active<C: ConnectionTrait>(db: &C) -> Result<HashMap<String, ActiveKey>, StoreError> {
    let rows = Entity::find().filter(Column::RevokedAt.is_null()).all(db).await?;
    let key_of = |mut row: Model| {
        let hash = std::mem::take(&mut row.token_hash);
        let ApiKey { id, name, scope, expires_at, .. } = from_row(row)?;
        Ok((hash, ActiveKey { id, name, scope, expires_at }))
    };
    rows.into_iter().map(key_of).collect()
}

/// All keys, also the revoked ones, oldest first.
pub async fn all<C: ConnectionTrait>(db: &C) -> Result<Vec<ApiKey>, StoreError> {
    Entity::find().order_by_asc(Column::Id).all(db).await?.into_iter().map(from_row).collect()
}

/// The key of this name that is not revoked.
pub async fn active_by_name<C: ConnectionTrait>(db: &C, name: &str) -> Result<Option<ApiKey>, StoreError> {
    let active_keys = Entity::find().filter(Column::RevokedAt.is_null());
    active_keys.filter(Column::Name.eq(name)).one(db).await?.map(from_row).transpose()
}

/// The key of this number, revoked or not.
pub async fn by_id<C: ConnectionTrait>(db: &C, id: i64) -> Result<Option<ApiKey>, StoreError> {
    Entity::find_by_id(id).one(db).await?.map(from_row).transpose()
}

/// Stores a key and returns its number, the newest key's plus one. Must be called in a transaction
/// that writes.
pub async fn insert<C: ConnectionTrait>(db: &C, new: &NewApiKey<'_>) -> Result<i64, StoreError> {
    let newest: Option<Option<i64>> =
        Entity::find().select_only().column_as(Column::Id.max(), "newest").into_tuple().one(db).await?;
    let id = newest.flatten().unwrap_or_default() + 1;
    let row = Model {
        id,
        name: new.name.to_owned(),
        scope: new.scope.as_str().to_owned(),
        token_hash: new.token_hash.to_owned(),
        created_at: to_micros(new.created_at),
        revoked_at: None,
        expires_at: new.expires_at.map(to_micros),
        last_used_at: None,
    };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(id)
}

/// Revokes a key.
pub async fn revoke<C: ConnectionTrait>(db: &C, id: i64, at: Time) -> Result<(), StoreError> {
    let row = ActiveModel { id: Set(id), revoked_at: Set(Some(to_micros(at))), ..Default::default() };
    Entity::update(row).exec_without_returning(db).await?;
    Ok(())
}

/// Notes that a key was used, unless a later use is noted already.
pub async fn note_use<C: ConnectionTrait>(db: &C, id: i64, at: Time) -> Result<(), StoreError> {
    let at = to_micros(at);
    Entity::update_many()
        .filter(Column::Id.eq(id))
        .filter(Column::LastUsedAt.is_null().or(Column::LastUsedAt.lt(at)))
        .col_expr(Column::LastUsedAt, Expr::val(at))
        .exec(db)
        .await?;
    Ok(())
}

fn from_row(row: Model) -> Result<ApiKey, StoreError> {
    let scope = Scope::from_name(&row.scope)
        .ok_or_else(|| StoreError::Unreadable(format!("the scope {:?} of the key {}", row.scope, row.id)))?;
    Ok(ApiKey {
        id: row.id,
        name: row.name,
        scope,
        created_at: from_micros(row.created_at)?,
        revoked_at: row.revoked_at.map(from_micros).transpose()?,
        expires_at: row.expires_at.map(from_micros).transpose()?,
        last_used_at: row.last_used_at.map(from_micros).transpose()?,
    })
}
