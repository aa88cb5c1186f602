//! Fewer and shorter index entries of events. The indexes by what events are about have an entry
//! only where an event is about such a thing: most are about one or two of the four. The index of
//! identities begins with the subject, so that the entries of new subjects are beside each other;
//! an index of hashes alone is written all over.
//!
//! A node of the version before writes as it did, but looks identities up without an index. No such
//! version was released.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const IDENTITY: &str = r#"CREATE INDEX "event_identity" ON "event" ("subject", SUBSTR("identity", 1, 16), "seq")"#;

/// Each other index, its columns, and the one that may be null.
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
        db.execute_unprepared(r#"DROP INDEX "event_identity""#).await?;
        db.execute_unprepared(IDENTITY).await?;
        for (name, columns, nullable) in INDEXES {
            db.execute_unprepared(&format!(r#"DROP INDEX "{name}""#)).await?;
            let index = format!(r#"CREATE INDEX "{name}" ON "event" ({columns}) WHERE "{nullable}" IS NOT NULL"#);
            db.execute_unprepared(&index).await?;
        }
        Ok(())
    }
}
