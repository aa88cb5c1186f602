//! The files that the links of events name: jobs until they are stored or given up.
//!
//! `recording` adds them in the transaction of their events, `jobs` is what the worker reads and
//! writes, `retention` removes stored files by age, `retry` makes files due once more, `stored`
//! lists what is stored.
//!
//! Two workers may be at work after a restart of the database. So each write of a result repeats
//! what its worker read, and changes nothing if another one, or a fresh link, came first.

use sea_orm::{ConnectionTrait, ExecResult, QueryResult, Statement, Value};

use super::StoreError;

mod jobs;
mod recording;
mod retention;
mod retry;
mod stored;
#[cfg(test)]
mod tests;

pub use jobs::{
    Attempt, FetchJob, FileCounts, PendingExtremes, count, count_pending_due, due, earliest_deadline, expire,
    has_held_back, next_attempt_after, pending_extremes, postpone_all, record_refused, record_stored, record_unfetched,
    record_unfit, revive, stored_bytes,
};
pub use recording::{FileRecording, Links, NewFiles};
pub use retention::{
    RemovableFile, clear_removed, is_kept, mark_removed, newest_deadline, removable, removed_contents,
};
pub use retry::{FileRetry, FilesOf, make_due, retry};
pub use stored::{digests_after, is_named};

/// Runs a statement whose text is the same for both databases: each reads `$1` as the first value.
async fn execute<C: ConnectionTrait, const N: usize>(
    db: &C,
    sql: &str,
    values: [Value; N],
) -> Result<ExecResult, StoreError> {
    Ok(db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?)
}

/// As [`execute`], for a statement that reads.
async fn query<C: ConnectionTrait, const N: usize>(
    db: &C,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, StoreError> {
    Ok(db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?)
}

/// The first column of the first row.
async fn query_number<C: ConnectionTrait, const N: usize>(
    db: &C,
    sql: &str,
    values: [Value; N],
) -> Result<Option<i64>, StoreError> {
    let rows = query(db, sql, values).await?;
    Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?.flatten())
}
