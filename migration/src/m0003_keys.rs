//! API keys.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A name is unique among the keys that are not revoked. (The builder has no index with a
/// condition; both databases accept this statement.)
const UNIQUE_ACTIVE_NAME: &str = r#"CREATE UNIQUE INDEX "key_name" ON "key" ("name") WHERE "revoked_at" IS NULL"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let text = |name| columns.text(name);
        manager
            .create_table(
                Table::create()
                    .table("key")
                    .col(columns.key("id"))
                    .col(text("name").not_null())
                    .col(text("scope").not_null())
                    .col(text("token_hash").not_null().unique_key())
                    .col(ColumnDef::new("created_at").big_integer().not_null())
                    .col(ColumnDef::new("revoked_at").big_integer())
                    .take(),
            )
            .await?;
        manager.get_connection().execute_unprepared(UNIQUE_ACTIVE_NAME).await?;
        Ok(())
    }
}
