//! Columns by which events are ordered without trust in a clock, and the identities of creations:
//! a creation is identified by its subject alone.
//!
//! `order_key` of a row was the vendor's time, else the signed time, else the time of arrival. It
//! becomes the vendor's time alone. The fields that events have cleared are not known here;
//! a rebuild finds them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};
use sha2::{Digest, Sha256};

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: [&str; 4] = ["project", "drawing", "client", "proposal"];

/// `order_key` of a row without a time from the vendor.
const UNKNOWN_TIME: &str = "-9223372036854775808";

/// A vendor's time so many microseconds after the arrival is not believed.
const AHEAD_MAX: &str = "300000000";

/// How many creations are changed by one statement.
const PAGE_SIZE: usize = 500;

/// How many creations there are between two lines of the log.
const PROGRESS_STEP: u64 = 100_000;

fn order_statements() -> Vec<String> {
    let vendor_time = |table: &str| {
        format!(
            r#"UPDATE "{table}" SET "order_key" = CASE WHEN "updated_at" <= "last_event_at" + {AHEAD_MAX}
            THEN "updated_at" ELSE {UNKNOWN_TIME} END"#
        )
    };
    let signed = |table: &str, noun: &str, event: &str| {
        format!(
            r#"UPDATE "{table}" SET "signed_order" = (SELECT MAX(CASE WHEN "signed_at" > "received_at" / 1000000
            THEN "received_at" ELSE "signed_at" * 1000000 END) FROM "event" WHERE "event"."provider" = 'ARCSITE'
            AND "event"."subject" = '{noun}:' || "{table}"."vendor_id" AND "signed_at" IS NOT NULL AND {event})"#
        )
    };
    let undated = format!(
        r#""kind" = 'PROJECT_UPDATED' AND ("occurred_at" IS NULL OR "occurred_at" > "received_at" + {AHEAD_MAX})"#
    );
    vec![
        vendor_time("project"),
        vendor_time("client"),
        vendor_time("proposal"),
        format!(r#"UPDATE "drawing" SET "order_key" = {UNKNOWN_TIME}"#),
        signed("project", "project", &undated),
        signed("drawing", "drawing", r#""kind" = 'DRAWING_UPDATED'"#),
        signed(
            "proposal",
            "proposal",
            r#""kind" IN ('PROPOSAL_STATUS_CHANGED', 'PROPOSAL_SENT', 'PROPOSAL_APPROVED')"#,
        ) + r#" WHERE "provider" = 'ARCSITE'"#,
    ]
}

/// The SHA-256 of the parts, each after its length. The content is empty.
fn creation_identity(provider: &str, kind: &str, subject: &str) -> String {
    let mut hash = Sha256::new();
    for part in [provider, "kind", kind, subject, ""] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

const CREATIONS: [&str; 4] = ["PROJECT_CREATED", "DRAWING_CREATED", "CLIENT_CREATED", "PROPOSAL_CREATED"];

/// Gives all creations of a kind their identity. Kind by kind, each page is read along an index.
async fn identify_creations<C: ConnectionTrait>(db: &C, kind: &str, done: &mut u64) -> Result<(), DbErr> {
    let mut last = 0_i64;
    loop {
        let page = Query::select()
            .columns(["seq", "provider", "subject"])
            .from("event")
            .and_where(Expr::col("kind").eq(kind))
            .and_where(Expr::col("seq").gt(last))
            .order_by("seq", Order::Asc)
            .limit(PAGE_SIZE as u64)
            .take();
        let rows = db.query_all(&page).await?;
        let mut values = Vec::with_capacity(rows.len());
        for row in &rows {
            last = row.try_get_by_index(0)?;
            let text = |at: usize| row.try_get_by_index::<String>(at);
            // A seq and hexadecimal digits need no escaping.
            values.push(format!("({last}, '{}')", creation_identity(&text(1)?, kind, &text(2)?)));
        }
        if values.is_empty() {
            return Ok(());
        }
        let update = format!(
            r#"WITH "new" ("seq", "identity") AS (VALUES {}) UPDATE "event" SET "identity" = "new"."identity"
            FROM "new" WHERE "event"."seq" = "new"."seq""#,
            values.join(", ")
        );
        db.execute_raw(Statement::from_string(db.get_database_backend(), update)).await?;
        let before = *done;
        *done += values.len() as u64;
        if *done / PROGRESS_STEP > before / PROGRESS_STEP {
            tracing::info!(creations = *done, "migrating the identities of creations");
        }
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        for table in TABLES {
            for column in [ColumnDef::new("signed_order").big_integer().take(), columns.text("cleared")] {
                manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
            }
        }
        let db = manager.get_connection();
        for statement in order_statements() {
            db.execute_unprepared(&statement).await?;
        }
        let mut done = 0;
        for kind in CREATIONS {
            identify_creations(db, kind, &mut done).await?;
        }
        Ok(())
    }
}
