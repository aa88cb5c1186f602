//! The keys of the API.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

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
        let mut id = ColumnDef::new("id");
        // On SQLite only a column of the type INTEGER is the table's own key; there it holds 64 bits as well.
        if manager.get_database_backend() == DbBackend::Sqlite {
            id.integer();
        } else {
            id.big_integer();
        }
        manager
            .create_table(
                Table::create()
                    .table("key")
                    .col(id.not_null().primary_key().take())
                    .col(ColumnDef::new("name").text().not_null())
                    .col(ColumnDef::new("scope").text().not_null())
                    .col(ColumnDef::new("token_hash").text().not_null().unique_key())
                    .col(ColumnDef::new("created_at").big_integer().not_null())
                    .col(ColumnDef::new("revoked_at").big_integer())
                    .take(),
            )
            .await?;
        manager.get_connection().execute_unprepared(ONE_OF_A_NAME).await?;
        Ok(())
    }
}
