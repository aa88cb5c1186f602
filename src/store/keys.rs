//! API keys. The database stores the hashes of their tokens, never the tokens.

use std::collections::HashMap;

use entity::key::{ActiveModel, Column, Entity, Model};
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
}

/// The keys that are not revoked, by the hashes of their tokens.
pub async fn active<C: ConnectionTrait>(db: &C) -> Result<HashMap<String, ApiKey>, StoreError> {
    let rows = Entity::find().filter(Column::RevokedAt.is_null()).all(db).await?;
    rows.into_iter().map(|mut row| Ok((std::mem::take(&mut row.token_hash), from_row(row)?))).collect()
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

fn from_row(row: Model) -> Result<ApiKey, StoreError> {
    let scope = Scope::from_name(&row.scope)
        .ok_or_else(|| StoreError::Unreadable(format!("the scope {:?} of the key {}", row.scope, row.id)))?;
    Ok(ApiKey {
        id: row.id,
        name: row.name,
        scope,
        created_at: from_micros(row.created_at)?,
        revoked_at: row.revoked_at.map(from_micros).transpose()?,
    })
}
