//! What a delivery was sent with: its headers and its size; and which redeliveries renewed links,
//! so that a rebuild renews them at the same place in the log. A node of the previous version
//! leaves all of them null.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Few deliveries renew a link, and only those are in the index.
const RENEWAL_INDEX: &str = r#"CREATE INDEX "delivery_links_renewed" ON "delivery" ("links_renewed_after", "id")
WHERE "links_renewed_after" IS NOT NULL"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let headers = Columns::of(manager).text("headers");
        let number = |name| ColumnDef::new(name).big_integer().take();
        for column in [headers, number("size_bytes"), number("links_renewed_after")] {
            manager.alter_table(Table::alter().table("delivery").add_column(column).take()).await?;
        }
        manager.get_connection().execute_unprepared(RENEWAL_INDEX).await?;
        Ok(())
    }
}
