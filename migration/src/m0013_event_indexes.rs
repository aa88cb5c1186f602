//! The indexes of events by what they are about have an entry only where an event is about such a
//! thing. Most events are about one or two of the four. A node of the version before writes and
//! reads as it did.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Each index, its columns, and the one that may be null.
const INDEXES: [(&str, &str, &str); 4] = [
    ("event_proposal", r#""provider", "proposal_vendor_id", "seq""#, "proposal_vendor_id"),
    ("event_client", r#""client_vendor_id", "seq""#, "client_vendor_id"),
    ("event_project", r#""project_vendor_id", "seq""#, "project_vendor_id"),
    ("event_drawing", r#""drawing_vendor_id", "seq""#, "drawing_vendor_id"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for (name, columns, nullable) in INDEXES {
            db.execute_unprepared(&format!(r#"DROP INDEX "{name}""#)).await?;
            let index = format!(r#"CREATE INDEX "{name}" ON "event" ({columns}) WHERE "{nullable}" IS NOT NULL"#);
            db.execute_unprepared(&index).await?;
        }
        Ok(())
    }
}
