//! The log and its deliveries.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // On SQLite only a column of the type INTEGER is the table's own key; there it holds 64 bits as well.
        let key = |name: &'static str| {
            let mut column = ColumnDef::new(name);
            if manager.get_database_backend() == DbBackend::Sqlite {
                column.integer();
            } else {
                column.big_integer();
            }
            column.not_null().primary_key().take()
        };
        manager
            .create_table(
                Table::create()
                    .table("log")
                    .col(ColumnDef::new("id").text().not_null().primary_key())
                    .col(ColumnDef::new("created_at").big_integer().not_null())
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("event")
                    .col(key("seq"))
                    .col(ColumnDef::new("provider").text().not_null())
                    .col(ColumnDef::new("kind").text().not_null())
                    .col(ColumnDef::new("vendor_type").text().not_null())
                    .col(ColumnDef::new("subject").text().not_null())
                    .col(ColumnDef::new("identity").text().not_null())
                    .col(ColumnDef::new("status").text())
                    .col(ColumnDef::new("occurred_at").big_integer())
                    .col(ColumnDef::new("received_at").big_integer().not_null())
                    .col(ColumnDef::new("signed_at").big_integer())
                    .col(ColumnDef::new("order_key").big_integer().not_null())
                    .col(ColumnDef::new("proposal_vendor_id").text())
                    .col(ColumnDef::new("client_vendor_id").text())
                    .col(ColumnDef::new("project_vendor_id").text())
                    .col(ColumnDef::new("drawing_vendor_id").text())
                    .col(ColumnDef::new("body").text().not_null())
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("delivery")
                    .col(key("id"))
                    .col(ColumnDef::new("provider").text().not_null())
                    .col(ColumnDef::new("vendor_type").text())
                    .col(ColumnDef::new("received_at").big_integer().not_null())
                    .col(ColumnDef::new("signed_at").big_integer())
                    .col(ColumnDef::new("outcome").text().not_null())
                    .col(ColumnDef::new("quarantine_reason").text())
                    .col(ColumnDef::new("detail").text())
                    .col(ColumnDef::new("body").blob())
                    .col(ColumnDef::new("event_seq").big_integer())
                    .take(),
            )
            .await?;
        for (name, table, columns) in [
            ("event_identity", "event", &["identity", "seq"][..]),
            ("event_subject", "event", &["provider", "subject", "seq"]),
            ("event_kind", "event", &["kind", "seq"]),
            ("event_received_at", "event", &["received_at"]),
            ("event_proposal", "event", &["provider", "proposal_vendor_id", "seq"]),
            ("event_client", "event", &["client_vendor_id", "seq"]),
            ("event_project", "event", &["project_vendor_id", "seq"]),
            ("event_drawing", "event", &["drawing_vendor_id", "seq"]),
            ("delivery_event", "delivery", &["event_seq", "id"]),
            ("delivery_outcome", "delivery", &["outcome", "id"]),
        ] {
            let mut index = Index::create().name(name).table(table).take();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
