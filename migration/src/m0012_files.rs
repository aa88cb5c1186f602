//! The vault: the files of events, as jobs and as what became of them, and the secrets that all
//! nodes share.
//!
//! A node of the version before records no files. It neither reads nor writes the two tables.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The indexes: the files of an event, of a drawing and of a proposal; the jobs by the time of
/// their next attempt and by their deadline; the files that a fresh link may replace; the files
/// that share stored bytes; those whose bytes are to be removed; the stored ones of a type by their
/// age.
const INDEXES: [&str; 9] = [
    r#"CREATE INDEX "file_event" ON "file" ("event_seq", "id")"#,
    r#"CREATE INDEX "file_drawing" ON "file" ("drawing_vendor_id", "id") WHERE "drawing_vendor_id" IS NOT NULL"#,
    r#"CREATE INDEX "file_proposal" ON "file" ("proposal_vendor_id", "id") WHERE "proposal_vendor_id" IS NOT NULL"#,
    r#"CREATE INDEX "file_due" ON "file" ("next_attempt_at", "id") WHERE "state" = 'PENDING'"#,
    r#"CREATE INDEX "file_deadline" ON "file" ("link_expires_at", "id") WHERE "state" = 'PENDING'"#,
    r#"CREATE INDEX "file_renewable" ON "file" ("link_hash") WHERE "state" IN ('PENDING', 'EXPIRED')"#,
    r#"CREATE INDEX "file_content" ON "file" ("sha256") WHERE "sha256" IS NOT NULL"#,
    r#"CREATE INDEX "file_removed" ON "file" ("sha256") WHERE "state" = 'EXPIRED' AND "sha256" IS NOT NULL"#,
    r#"CREATE INDEX "file_kept" ON "file" ("kind", "stored_at", "id") WHERE "state" = 'STORED'"#,
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let text = |name| columns.text(name);
        let number = |name| ColumnDef::new(name).big_integer().take();
        let file = Table::create()
            .table("file")
            .col(columns.key("id"))
            .col(number("event_seq").not_null())
            .col(text("drawing_vendor_id"))
            .col(text("proposal_vendor_id"))
            .col(text("role").not_null())
            .col(text("kind").not_null())
            .col(text("name"))
            .col(text("link").not_null())
            .col(text("link_hash").not_null())
            .col(number("link_expires_at").not_null())
            .col(text("state").not_null())
            .col(text("problem"))
            .col(number("attempts").not_null())
            .col(number("next_attempt_at").not_null())
            .col(text("sha256"))
            .col(number("size_bytes"))
            .col(number("stored_at"))
            .take();
        let secret = Table::create()
            .table("secret")
            .col(text("name").not_null().primary_key())
            .col(text("value").not_null())
            .take();
        for table in [file, secret] {
            manager.create_table(table).await?;
        }
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}
