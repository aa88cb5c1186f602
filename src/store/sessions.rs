//! The sessions of browsers. The database stores the hashes of their tokens, never the tokens.

use std::collections::HashMap;

use entity::session::{Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::StoreError;
use super::sql::convert::{from_micros, to_micros};
use crate::clock::Time;

/// A session, without its token's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its random number.
    pub id: i64,
    /// The key that was exchanged for it.
    pub key_id: i64,
    /// When it is over at the latest.
    pub expires_at: Time,
}

/// All sessions that are stored, by the hashes of their tokens.
pub async fn all<C: ConnectionTrait>(db: &C) -> Result<HashMap<String, Session>, StoreError> {
    let rows = Entity::find().all(db).await?;
    rows.into_iter().map(|mut row| Ok((std::mem::take(&mut row.token_hash), from_row(&row)?))).collect()
}

/// Stores a session.
pub async fn insert<C: ConnectionTrait>(
    db: &C,
    session: &Session,
    token_hash: &str,
    created_at: Time,
) -> Result<(), StoreError> {
    let row = Model {
        id: session.id,
        token_hash: token_hash.to_owned(),
        key_id: session.key_id,
        created_at: to_micros(created_at),
        expires_at: to_micros(session.expires_at),
    };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// Deletes the oldest sessions of a key, so that at most `kept` are left.
pub async fn delete_oldest<C: ConnectionTrait>(db: &C, key_id: i64, kept: u64) -> Result<(), StoreError> {
    let sessions = Entity::find().select_only().column(Column::Id).filter(Column::KeyId.eq(key_id));
    // The databases share no OFFSET without a LIMIT.
    let newest_first = sessions.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
    let oldest: Vec<i64> = newest_first.offset(kept).limit(u64::from(u32::MAX)).into_tuple().all(db).await?;
    delete(db, &oldest).await
}

/// Deletes sessions by their numbers.
pub async fn delete<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<(), StoreError> {
    if !ids.is_empty() {
        Entity::delete_many().filter(Column::Id.is_in(ids.iter().copied())).exec(db).await?;
    }
    Ok(())
}

/// Deletes all sessions of a key.
pub async fn delete_of_key<C: ConnectionTrait>(db: &C, key_id: i64) -> Result<(), StoreError> {
    Entity::delete_many().filter(Column::KeyId.eq(key_id)).exec(db).await?;
    Ok(())
}

/// Deletes the session whose token has this hash. Returns whether there was one.
pub async fn delete_by_token<C: ConnectionTrait>(db: &C, token_hash: &str) -> Result<bool, StoreError> {
    let deleted = Entity::delete_many().filter(Column::TokenHash.eq(token_hash)).exec(db).await?;
    Ok(deleted.rows_affected > 0)
}

fn from_row(row: &Model) -> Result<Session, StoreError> {
    Ok(Session { id: row.id, key_id: row.key_id, expires_at: from_micros(row.expires_at)? })
}
