//! The webhooks at Bidsketch that bidarc manages.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "bidsketch_webhook";

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
                    .table(TABLE)
                    .col(columns.key("id"))
                    .col(text("vendor_id"))
                    .col(text("event").not_null())
                    .col(text("endpoint").not_null())
                    .col(text("endpoint_hash").not_null())
                    .col(text("token_hash"))
                    .col(text("state").not_null())
                    .col(text("live_event"))
                    .col(ColumnDef::new("superseded").boolean().not_null().default(false))
                    .col(text("error_code"))
                    .col(text("last_error"))
                    .col(ColumnDef::new("created_at").big_integer().not_null())
                    .col(ColumnDef::new("last_delivery_at").big_integer())
                    .take(),
            )
            .await?;
        for (name, column, unique) in [
            ("bidsketch_webhook_vendor_id", "vendor_id", false),
            ("bidsketch_webhook_token", "token_hash", true),
            // At most one webhook for an event is live, so that of two simultaneous creations one
            // fails.
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
