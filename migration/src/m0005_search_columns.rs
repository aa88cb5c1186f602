//! Columns for searches by an exact value have a bounded length: a PostgreSQL index entry has no
//! room for a text of a megabyte, which a vendor may send.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "project_job_number";

/// Longer values stay with their project or client, but a search by value does not find them.
const FILL: &str = r#"UPDATE "project" SET "job_number_key" = "job_number" WHERE octet_length("job_number") <= 500;
UPDATE "client" SET "email_folded" = NULL WHERE octet_length("email_folded") > 500;
UPDATE "client" SET "city_folded" = NULL WHERE octet_length("city_folded") > 500;"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let key = Columns::of(manager).text("job_number_key");
        manager.alter_table(Table::alter().table("project").add_column(key).take()).await?;
        manager.get_connection().execute_unprepared(FILL).await?;
        manager.drop_index(Index::drop().name(INDEX).table("project").to_owned()).await?;
        let index = Index::create().name(INDEX).table("project").col("job_number_key").col("last_event_at").take();
        manager.create_index(index.to_owned().col("vendor_id").take()).await
    }
}
