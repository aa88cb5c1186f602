//! What is stored, and what rows name.

use entity::file::{Column, Entity};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::{Digest, FileState};
use crate::store::StoreError;

/// The digests of the stored files with numbers after this one, with those numbers: at most
/// `limit`, in their order. Equal files have one digest.
pub async fn digests_after<C: ConnectionTrait>(
    db: &C,
    after: i64,
    limit: u64,
) -> Result<Vec<(i64, Digest)>, StoreError> {
    let rows: Vec<(i64, Option<String>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Sha256])
        .filter(Column::State.eq(FileState::Stored.as_str()))
        .filter(Column::Id.gt(after))
        .order_by_asc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let digest = |(id, text): (i64, Option<String>)| {
        let digest = text.and_then(|text| text.parse().ok());
        Ok((id, digest.ok_or_else(|| StoreError::Unreadable(format!("the digest of file {id}")))?))
    };
    rows.into_iter().map(digest).collect()
}

/// Whether any row has this digest, also one whose bytes are about to be removed.
pub async fn is_named<C: ConnectionTrait>(db: &C, digest: &Digest) -> Result<bool, StoreError> {
    Ok(Entity::find().filter(Column::Sha256.eq(digest.to_string())).count(db).await? > 0)
}
