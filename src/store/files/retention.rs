//! Removes stored files by age. A row loses its state first, then the store loses the bytes, then
//! the row loses their digest, so that a crash in between leaves no bytes behind.
//!
//! The row stays: it is expired, its problem names the setting, and it still has the time at which
//! it was stored. A fresh link does not revive it.

use sea_orm::ConnectionTrait;

use super::{execute, query, query_number};
use crate::clock::Time;
use crate::domain::{Digest, FileId, FileKind};
use crate::store::StoreError;
use crate::store::sql::convert::{from_micros, to_micros};

/// A stored file that is older than it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovableFile {
    /// Its number.
    pub id: FileId,
    /// The name that its event gives it.
    pub name: Option<String>,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// When it was stored.
    pub stored_at: Time,
}

/// The stored files of a type from before a time, after a number, at most `limit`.
///
/// # Errors
///
/// The database does not answer, or a row cannot be read.
pub async fn removable<C: ConnectionTrait>(
    db: &C,
    (kind, stored_before): (FileKind, Time),
    after: FileId,
    limit: u32,
) -> Result<Vec<RemovableFile>, StoreError> {
    let sql = r#"SELECT "id", "name", "size_bytes", "stored_at" FROM "file"
        WHERE "state" = 'STORED' AND "kind" = $1 AND "stored_at" < $2 AND "id" > $3 ORDER BY "id" LIMIT $4"#;
    let values = [kind.as_str().into(), to_micros(stored_before).into(), after.0.into(), i64::from(limit).into()];
    let rows = query(db, sql, values).await?;
    let read = |row: &sea_orm::QueryResult| {
        let size: Option<i64> = row.try_get_by_index(2)?;
        Ok(RemovableFile {
            id: FileId(row.try_get_by_index(0)?),
            name: row.try_get_by_index(1)?,
            size_bytes: size.unwrap_or_default().unsigned_abs(),
            stored_at: from_micros(row.try_get_by_index(3)?)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Marks stored files of a type from before a time as removed, at most `limit`. Returns how many.
///
/// # Errors
///
/// The database does not answer.
pub async fn mark_removed<C: ConnectionTrait>(
    db: &C,
    (kind, stored_before): (FileKind, Time),
    problem: &str,
    limit: u32,
) -> Result<u64, StoreError> {
    let sql = r#"UPDATE "file" SET "state" = 'EXPIRED', "problem" = $1 WHERE "id" IN (SELECT "id" FROM "file"
        WHERE "state" = 'STORED' AND "kind" = $2 AND "stored_at" < $3 ORDER BY "stored_at", "id" LIMIT $4)"#;
    let values = [problem.into(), kind.as_str().into(), to_micros(stored_before).into(), i64::from(limit).into()];
    Ok(execute(db, sql, values).await?.rows_affected())
}

pub(super) const REMOVED_CONTENTS: &str = r#"SELECT DISTINCT "sha256" FROM "file"
    WHERE "state" = 'EXPIRED' AND "sha256" IS NOT NULL AND "sha256" > $1 ORDER BY "sha256" LIMIT $2"#;

/// The digests of files that are marked as removed, whose bytes may still be in the store: those
/// after a digest, in their order, at most `limit`.
///
/// # Errors
///
/// The database does not answer, or a digest cannot be read.
pub async fn removed_contents<C: ConnectionTrait>(
    db: &C,
    after: Option<&Digest>,
    limit: u32,
) -> Result<Vec<Digest>, StoreError> {
    let after = after.map(ToString::to_string).unwrap_or_default();
    let rows = query(db, REMOVED_CONTENTS, [after.into(), i64::from(limit).into()]).await?;
    let read = |row: &sea_orm::QueryResult| {
        let text: String = row.try_get_by_index(0)?;
        text.parse().map_err(|_| StoreError::Unreadable("the digest of a file".to_owned()))
    };
    rows.iter().map(read).collect()
}

/// When the link of the newest file dies.
///
/// # Errors
///
/// The database does not answer.
pub async fn newest_deadline<C: ConnectionTrait>(db: &C) -> Result<Option<Time>, StoreError> {
    let sql = r#"SELECT "link_expires_at" FROM "file" ORDER BY "id" DESC LIMIT 1"#;
    query_number(db, sql, []).await?.map(from_micros).transpose()
}

/// Whether a stored file has these bytes.
///
/// # Errors
///
/// The database does not answer.
pub async fn is_kept<C: ConnectionTrait>(db: &C, digest: &Digest) -> Result<bool, StoreError> {
    let sql = r#"SELECT "id" FROM "file" WHERE "sha256" = $1 AND "state" = 'STORED' LIMIT 1"#;
    Ok(query_number(db, sql, [digest.to_string().into()]).await?.is_some())
}

/// Records that the bytes of files that are marked as removed are gone, or are those of other files
/// too.
///
/// # Errors
///
/// The database does not answer.
pub async fn clear_removed<C: ConnectionTrait>(db: &C, digest: &Digest) -> Result<(), StoreError> {
    let sql = r#"UPDATE "file" SET "sha256" = NULL, "size_bytes" = NULL WHERE "sha256" = $1 AND "state" = 'EXPIRED'"#;
    execute(db, sql, [digest.to_string().into()]).await?;
    Ok(())
}
