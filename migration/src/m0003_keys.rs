//! The keys of the API.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Of the keys of one name only one is not revoked. (An index with a condition has no builder; both databases take this.)
const ONE_OF_A_NAME: &str = r#"CREATE UNIQUE INDEX "key_name" ON "key" ("name") WHERE "revoked_at" IS NULL"#;

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
        manager.get_connection().execute_unprepared(ONE_OF_A_NAME).await?;
        Ok(())
    }
}
