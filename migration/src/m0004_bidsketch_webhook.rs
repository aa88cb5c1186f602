//! The webhooks at Bidsketch that are managed from here.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "bidsketch_webhook";

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
                    .table(TABLE)
                    .col(id.not_null().primary_key())
                    .col(ColumnDef::new("vendor_id").text())
                    .col(ColumnDef::new("event").text().not_null())
                    .col(ColumnDef::new("endpoint").text().not_null())
                    .col(ColumnDef::new("endpoint_hash").text().not_null())
                    .col(ColumnDef::new("token_hash").text())
                    .col(ColumnDef::new("state").text().not_null())
                    .col(ColumnDef::new("live_event").text())
                    .col(ColumnDef::new("superseded").boolean().not_null().default(false))
                    .col(ColumnDef::new("error_code").text())
                    .col(ColumnDef::new("last_error").text())
                    .col(ColumnDef::new("created_at").big_integer().not_null())
                    .col(ColumnDef::new("last_delivery_at").big_integer())
                    .take(),
            )
            .await?;
        for (name, column, unique) in [
            ("bidsketch_webhook_vendor_id", "vendor_id", false),
            ("bidsketch_webhook_token", "token_hash", true),
            // Of all webhooks for an event one at most is live: two creations at once cannot both begin.
            ("bidsketch_webhook_live", "live_event", true),
            ("bidsketch_webhook_state", "state", false),
        ] {
            let mut index = Index::create().name(name).table(TABLE).col(column).take();
            if unique {
                index.unique();
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
