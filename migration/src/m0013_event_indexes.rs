//! Fewer and shorter index entries of events. The indexes by what events are about have an entry
//! only where an event is about such a thing: most are about one or two of the four. The index of
//! identities begins with the subject, so that the entries of new subjects are beside each other;
//! an index of hashes alone is written all over.
//!
//! The keys of files begin with the drawing or proposal for the same reason.
//!
//! A node of the version before writes as it did, but looks identities up without an index. No such
//! version was released.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The new indexes: the name, the columns, and the condition.
const NEW: [(&str, &str, &str); 5] = [
    ("event_subject_identity", r#""subject", SUBSTR("identity", 1, 16), "seq""#, ""),
    ("event_of_proposal", r#""provider", "proposal_vendor_id", "seq""#, r#" WHERE "proposal_vendor_id" IS NOT NULL"#),
    ("event_of_client", r#""client_vendor_id", "seq""#, r#" WHERE "client_vendor_id" IS NOT NULL"#),
    ("event_of_project", r#""project_vendor_id", "seq""#, r#" WHERE "project_vendor_id" IS NOT NULL"#),
    ("event_of_drawing", r#""drawing_vendor_id", "seq""#, r#" WHERE "drawing_vendor_id" IS NOT NULL"#),
];

/// Those that they replace. On PostgreSQL a drop waits for all readers, and keeps new ones out
/// until the transaction ends. So the drops come last.
const OLD: [&str; 5] = ["event_identity", "event_proposal", "event_client", "event_project", "event_drawing"];

/// A reader that stays, such as `pg_dump`, would fail the first drop, and with it minutes of work
/// under the write lock. So the migration fails soon if there is one, and is tried again. Writers
/// and new readers wait meanwhile, so its wait is shorter than theirs.
const FIND_READERS: &str = r#"SAVEPOINT "find_readers"; SET LOCAL lock_timeout = '200ms';
    LOCK TABLE "event" IN ACCESS EXCLUSIVE MODE; ROLLBACK TO SAVEPOINT "find_readers""#;

/// The service's own readers that came since end within their statements' deadline of 15 s. A
/// `pg_dump` that began since fails the migration, which is tried again.
const WAIT_FOR_READERS: &str = "SET LOCAL lock_timeout = '20s'";

/// A key was a SHA-256 of the link, and ends with its first digits now.
const KEY_FILES: &str = r#"UPDATE "file" SET "link_hash" =
    COALESCE("drawing_vendor_id", "proposal_vendor_id", '') || '/' || SUBSTR("link_hash", 1, 16)"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let has_readers_to_wait_for = db.get_database_backend() == DbBackend::Postgres;
        if has_readers_to_wait_for {
            db.execute_unprepared(FIND_READERS).await?;
        }
        db.execute_unprepared(KEY_FILES).await?;
        let has_events = db.query_one(&any_event()).await?.is_some();
        for (made, (name, columns, condition)) in NEW.into_iter().enumerate() {
            if has_events {
                tracing::info!(index = name, made, of = NEW.len(), "making the indexes of events again");
            }
            let index = format!(r#"CREATE INDEX "{name}" ON "event" ({columns}){condition}"#);
            db.execute_unprepared(&index).await?;
        }
        if has_readers_to_wait_for {
            db.execute_unprepared(WAIT_FOR_READERS).await?;
        }
        for name in OLD {
            db.execute_unprepared(&format!(r#"DROP INDEX "{name}""#)).await?;
        }
        Ok(())
    }
}

fn any_event() -> SelectStatement {
    Query::select().expr(Expr::value(1)).from(Alias::new("event")).limit(1).take()
}
