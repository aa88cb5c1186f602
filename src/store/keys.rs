//! The keys of the API. Tokens never come here, only their hashes.

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

/// A key, without what proves that one holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number.
    pub id: i64,
    /// What it is called. Of the keys of one name only one is not revoked.
    pub name: String,
    /// What it lets its holder do.
    pub scope: Scope,
    /// When it was added.
    pub created_at: Time,
    /// Since when it is refused.
    pub revoked_at: Option<Time>,
}

/// A key to be kept.
#[derive(Debug)]
pub struct NewApiKey<'a> {
    /// What it is called.
    pub name: &'a str,
    /// What it lets its holder do.
    pub scope: Scope,
    /// The hash of its token.
    pub token_hash: &'a str,
    /// When it is added.
    pub created_at: Time,
}

/// The keys that are not revoked, by the hashes of their tokens.
///
/// # Errors
///
/// Where the database cannot be read, or a row of it cannot be understood.
pub async fn active<C: ConnectionTrait>(db: &C) -> Result<HashMap<String, ApiKey>, StoreError> {
    let rows = Entity::find().filter(Column::RevokedAt.is_null()).all(db).await?;
    rows.into_iter().map(|mut row| Ok((std::mem::take(&mut row.token_hash), from_row(row)?))).collect()
}

/// Every key there ever was, oldest first.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn all<C: ConnectionTrait>(db: &C) -> Result<Vec<ApiKey>, StoreError> {
    Entity::find().order_by_asc(Column::Id).all(db).await?.into_iter().map(from_row).collect()
}

/// The key of this name that is not revoked.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn active_by_name<C: ConnectionTrait>(db: &C, name: &str) -> Result<Option<ApiKey>, StoreError> {
    let live = Entity::find().filter(Column::RevokedAt.is_null());
    live.filter(Column::Name.eq(name)).one(db).await?.map(from_row).transpose()
}

/// The key of this number, revoked or not.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_id<C: ConnectionTrait>(db: &C, id: i64) -> Result<Option<ApiKey>, StoreError> {
    Entity::find_by_id(id).one(db).await?.map(from_row).transpose()
}

/// Keeps a key and gives its number, one more than the newest's: within a transaction that writes.
///
/// # Errors
///
/// Where the database refuses it or is not available.
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

/// Notes since when a key is refused.
///
/// # Errors
///
/// Where the database is not available.
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
