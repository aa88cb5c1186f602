//! What the worker reads and writes. A row that is pending is a job.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, QueryResult};

use super::{execute, query, query_number};
use crate::clock::Time;
use crate::domain::{Digest, FileId, FileKind, FileState};
use crate::store::StoreError;
use crate::store::engine::dialect::Dialect;
use crate::store::sql::convert::{from_micros, to_json, to_micros};

/// A file to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchJob {
    /// Its number.
    pub id: FileId,
    /// The type that its event says it has.
    pub kind: FileKind,
    /// The newest link to it.
    pub link: String,
    /// When the link dies.
    pub deadline: Time,
    /// How many attempts have failed.
    pub attempts: u32,
    /// Whether a signature proved the delivery of its event.
    pub is_signed_hook: bool,
}

/// A failed attempt to fetch a file, which will be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What went wrong, for people.
    pub problem: String,
    /// When the next attempt is due.
    pub next_attempt_at: Time,
    /// Whether it counts against the link: a full store is no fault of it.
    pub counts: bool,
}

/// Selects the jobs that are due, by their deadlines. A value in place of the state would hide the
/// partial index from PostgreSQL. Files of other types are for a later version, which made them.
pub(super) const DUE: &str = r#"SELECT "file"."id", "file"."kind", "file"."link", "file"."link_expires_at",
    "file"."attempts", "event"."signed_at" FROM "file" JOIN "event" ON "event"."seq" = "file"."event_seq"
WHERE "file"."state" = 'PENDING' AND ("file"."link_expires_at", "file"."id") > ($2, $3)
    AND "file"."next_attempt_at" <= $1 AND "file"."kind" IN ('PDF', 'PNG')
ORDER BY "file"."link_expires_at", "file"."id" LIMIT $4"#;

/// The jobs that are due and whose links live, nearest deadline first: those after a job, by its
/// deadline and its number, at most `limit`.
///
/// # Errors
///
/// The database does not answer, or a row cannot be read.
pub async fn due<C: ConnectionTrait>(
    db: &C,
    now: Time,
    after: Option<(Time, FileId)>,
    limit: u32,
) -> Result<Vec<FetchJob>, StoreError> {
    // No link lives that dies now.
    let (deadline, id) = after.unwrap_or((now, FileId(i64::MAX)));
    let values = [to_micros(now).into(), to_micros(deadline).into(), id.0.into(), i64::from(limit).into()];
    let rows = query(db, DUE, values).await?;
    rows.iter().map(read_job).collect()
}

fn read_job(row: &QueryResult) -> Result<FetchJob, StoreError> {
    let id: i64 = row.try_get_by_index(0)?;
    let kind: String = row.try_get_by_index(1)?;
    let attempts: i64 = row.try_get_by_index(4)?;
    let signed_at: Option<i64> = row.try_get_by_index(5)?;
    Ok(FetchJob {
        id: FileId(id),
        kind: FileKind::from_name(&kind).ok_or_else(|| StoreError::Unreadable(format!("the type of file {id}")))?,
        link: row.try_get_by_index(2)?,
        deadline: from_micros(row.try_get_by_index(3)?)?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        is_signed_hook: signed_at.is_some(),
    })
}

/// How many jobs are due.
///
/// # Errors
///
/// The database does not answer.
pub async fn count_pending_due<C: ConnectionTrait>(db: &C, now: Time) -> Result<u64, StoreError> {
    let sql = r#"SELECT COUNT(*) FROM "file"
        WHERE "state" = 'PENDING' AND "next_attempt_at" <= $1 AND "kind" IN ('PDF', 'PNG')"#;
    Ok(query_number(db, sql, [to_micros(now).into()]).await?.unwrap_or_default().unsigned_abs())
}

pub(super) const NEXT_ATTEMPT: &str = r#"SELECT "next_attempt_at" FROM "file"
WHERE "state" = 'PENDING' AND "next_attempt_at" > $1 ORDER BY "next_attempt_at" LIMIT 1"#;

/// When the next job becomes due that is not due now.
///
/// # Errors
///
/// The database does not answer.
pub async fn next_attempt_after<C: ConnectionTrait>(db: &C, now: Time) -> Result<Option<Time>, StoreError> {
    query_number(db, NEXT_ATTEMPT, [to_micros(now).into()]).await?.map(from_micros).transpose()
}

pub(super) const EARLIEST_DEADLINE: &str =
    r#"SELECT "link_expires_at" FROM "file" WHERE "state" = 'PENDING' ORDER BY "link_expires_at" LIMIT 1"#;

/// When the first link of a job dies.
///
/// # Errors
///
/// The database does not answer.
pub async fn earliest_deadline<C: ConnectionTrait>(db: &C) -> Result<Option<Time>, StoreError> {
    query_number(db, EARLIEST_DEADLINE, []).await?.map(from_micros).transpose()
}

pub(super) const EXPIRE: &str = r#"UPDATE "file" SET "state" = 'EXPIRED',
    "problem" = COALESCE("problem", 'the link died before the file was fetched')
WHERE "state" = 'PENDING' AND "link_expires_at" <= $1"#;

/// Gives up the jobs whose links are dead. The last problem stays as the reason. Returns how many.
///
/// # Errors
///
/// The database does not answer.
pub async fn expire<C: ConnectionTrait>(db: &C, now: Time) -> Result<u64, StoreError> {
    Ok(execute(db, EXPIRE, [to_micros(now).into()]).await?.rows_affected())
}

/// The files that a clock which was ahead holds back: those that it gave up although their links
/// live, and those whose next attempts it set too late.
const HELD_BACK: &str = r#""stored_at" IS NULL AND ("state" = 'EXPIRED' AND "link_expires_at" > $1
    OR "state" = 'PENDING' AND "next_attempt_at" > $2)"#;

/// No pause between two attempts is longer. The longest are an hour.
const ATTEMPT_PAUSE_MAX: TimeDelta = TimeDelta::hours(2);

/// Whether a clock that was ahead holds files back.
///
/// # Errors
///
/// The database does not answer.
pub async fn has_held_back<C: ConnectionTrait>(db: &C, now: Time) -> Result<bool, StoreError> {
    let sql = format!(r#"SELECT "id" FROM "file" WHERE {HELD_BACK} LIMIT 1"#);
    let values = [to_micros(now).into(), to_micros(now + ATTEMPT_PAUSE_MAX).into()];
    Ok(query_number(db, &sql, values).await?.is_some())
}

/// Makes the files due that a clock which was ahead holds back. Returns how many.
///
/// # Errors
///
/// The database does not answer.
pub async fn revive<C: ConnectionTrait>(db: &C, now: Time) -> Result<u64, StoreError> {
    let sql =
        format!(r#"UPDATE "file" SET "state" = 'PENDING', "problem" = NULL, "next_attempt_at" = $1 WHERE {HELD_BACK}"#);
    let values = [to_micros(now).into(), to_micros(now + ATTEMPT_PAUSE_MAX).into()];
    Ok(execute(db, &sql, values).await?.rows_affected())
}

/// Records that a file is stored, also if its link died meanwhile. A fresh link may lead to a later
/// version, so that the bytes of the link before are not recorded. Returns whether the file still
/// waited for them.
///
/// # Errors
///
/// The database does not answer.
pub async fn record_stored<C: ConnectionTrait>(
    db: &C,
    job: &FetchJob,
    (digest, size_bytes): (&Digest, u64),
    now: Time,
) -> Result<bool, StoreError> {
    let sql = r#"UPDATE "file" SET "state" = 'STORED', "problem" = NULL, "sha256" = $1, "size_bytes" = $2,
        "stored_at" = $3, "attempts" = "attempts" + 1
        WHERE "id" = $4 AND "link" = $5 AND (
            "state" IN ('PENDING', 'EXPIRED') AND "stored_at" IS NULL
            OR "state" = 'STORED' AND "sha256" = $1 AND "stored_at" = $3)"#;
    let size = i64::try_from(size_bytes).unwrap_or(i64::MAX);
    let values =
        [digest.to_string().into(), size.into(), to_micros(now).into(), job.id.0.into(), job.link.as_str().into()];
    Ok(execute(db, sql, values).await?.rows_affected() > 0)
}

/// Records that a file is refused or cannot be stored, for good. Returns whether the job was still
/// the one that was read.
///
/// # Errors
///
/// The database does not answer.
pub async fn record_unfit<C: ConnectionTrait>(
    db: &C,
    job: &FetchJob,
    state: FileState,
    problem: &str,
) -> Result<bool, StoreError> {
    let sql = r#"UPDATE "file" SET "state" = $1, "problem" = $2, "attempts" = "attempts" + 1
        WHERE "id" = $3 AND "link" = $4 AND "state" = 'PENDING'"#;
    let values = [state.as_str().into(), problem.into(), job.id.0.into(), job.link.as_str().into()];
    Ok(execute(db, sql, values).await?.rows_affected() > 0)
}

/// Records that links are refused, for good. A fresh link of a file is refused like the one before.
/// Returns how many files were still jobs.
///
/// # Errors
///
/// The database does not answer.
pub async fn record_refused<C: ConnectionTrait>(db: &C, files: &[FileId], problem: &str) -> Result<u64, StoreError> {
    let ids = match Dialect::of(db.get_database_backend()) {
        Dialect::Sqlite => "SELECT value FROM json_each($2)",
        Dialect::Postgres => "SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST($2 AS json))",
    };
    let sql = format!(
        r#"UPDATE "file" SET "state" = 'REFUSED', "problem" = $1, "attempts" = "attempts" + 1
        WHERE "id" IN ({ids}) AND "state" = 'PENDING'"#
    );
    let files: Vec<i64> = files.iter().map(|file| file.0).collect();
    Ok(execute(db, &sql, [problem.into(), to_json(&files)?.into()]).await?.rows_affected())
}

/// Records a failed attempt. Returns whether the job was still the one that was read.
///
/// # Errors
///
/// The database does not answer.
pub async fn record_unfetched<C: ConnectionTrait>(
    db: &C,
    job: &FetchJob,
    attempt: &Attempt,
) -> Result<bool, StoreError> {
    let sql = r#"UPDATE "file" SET "problem" = $1, "next_attempt_at" = $2, "attempts" = "attempts" + $3
        WHERE "id" = $4 AND "link" = $5 AND "state" = 'PENDING'"#;
    let values = [
        attempt.problem.as_str().into(),
        to_micros(attempt.next_attempt_at).into(),
        i64::from(attempt.counts).into(),
        job.id.0.into(),
        job.link.as_str().into(),
    ];
    Ok(execute(db, sql, values).await?.rows_affected() > 0)
}

/// Postpones all jobs that are due, with a problem that is no fault of theirs. Returns how many.
///
/// # Errors
///
/// The database does not answer.
pub async fn postpone_all<C: ConnectionTrait>(
    db: &C,
    now: Time,
    until: Time,
    problem: &str,
) -> Result<u64, StoreError> {
    let sql = r#"UPDATE "file" SET "problem" = $1, "next_attempt_at" = $2
        WHERE "state" = 'PENDING' AND "next_attempt_at" <= $3"#;
    let values = [problem.into(), to_micros(until).into(), to_micros(now).into()];
    Ok(execute(db, sql, values).await?.rows_affected())
}

/// How many bytes the stored files have. Equal ones count once.
///
/// # Errors
///
/// The database does not answer.
pub async fn stored_bytes<C: ConnectionTrait>(db: &C) -> Result<u64, StoreError> {
    let sql = r#"SELECT CAST(COALESCE(SUM("size"), 0) AS bigint) FROM (
        SELECT MAX("size_bytes") AS "size" FROM "file" WHERE "sha256" IS NOT NULL GROUP BY "sha256") AS "contents""#;
    Ok(query_number(db, sql, []).await?.unwrap_or_default().unsigned_abs())
}

/// How many files are in each state.
pub type FileCounts = Vec<(FileState, u64)>;

/// How many files are in each state, 0 included.
///
/// # Errors
///
/// The database does not answer.
pub async fn count<C: ConnectionTrait>(db: &C) -> Result<FileCounts, StoreError> {
    let rows = query(db, r#"SELECT "state", COUNT(*) FROM "file" GROUP BY "state""#, []).await?;
    let mut counts: FileCounts = FileState::ALL.iter().map(|&state| (state, 0)).collect();
    for row in rows {
        let (name, found): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if let Some((_, count)) = counts.iter_mut().find(|(state, _)| state.as_str() == name) {
            *count = found.unsigned_abs();
        }
    }
    Ok(counts)
}

/// The oldest job and the one whose link dies first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingExtremes {
    /// When the oldest job's event was received.
    pub oldest_received_at: Option<Time>,
    /// When the first link dies.
    pub earliest_deadline: Option<Time>,
}

/// The oldest job and the one whose link dies first.
///
/// # Errors
///
/// The database does not answer.
pub async fn pending_extremes<C: ConnectionTrait>(db: &C) -> Result<PendingExtremes, StoreError> {
    let sql = r#"SELECT "received_at" FROM "event"
        WHERE "seq" = (SELECT MIN("event_seq" + 0) FROM "file" WHERE "state" = 'PENDING')"#;
    Ok(PendingExtremes {
        oldest_received_at: query_number(db, sql, []).await?.map(from_micros).transpose()?,
        earliest_deadline: earliest_deadline(db).await?,
    })
}
