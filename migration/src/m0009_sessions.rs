//! The expiry and the last use of keys, the sessions of browsers, and the audit.
//!
//! A node of the version before writes keys that never expire, and neither reads nor writes the two
//! new tables.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let text = |name| columns.text(name);
        for column in [number("expires_at"), number("last_used_at")] {
            manager.alter_table(Table::alter().table("key").add_column(column).take()).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("session")
                    .col(columns.key("id"))
                    .col(text("token_hash").not_null().unique_key())
                    .col(number("key_id").not_null())
                    .col(number("created_at").not_null())
                    .col(number("expires_at").not_null())
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("audit")
                    .col(columns.key("id"))
                    .col(number("at").not_null())
                    .col(text("kind").not_null())
                    .col(text("actor"))
                    .col(text("action").not_null())
                    .col(text("detail"))
                    .col(number("count").not_null())
                    .col(text("sum_key").unique_key())
                    .take(),
            )
            .await?;
        for (name, columns) in [("audit_at", ["at", "id"].as_slice()), ("audit_kind", &["kind", "id"])] {
            let mut index = Index::create().name(name).table("audit").take();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
