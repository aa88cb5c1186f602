//! The log and its deliveries.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

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
                    .table("log")
                    .col(text("id").not_null().primary_key())
                    .col(ColumnDef::new("created_at").big_integer().not_null())
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("event")
                    .col(columns.key("seq"))
                    .col(text("provider").not_null())
                    .col(text("kind").not_null())
                    .col(text("vendor_type").not_null())
                    .col(text("subject").not_null())
                    .col(text("identity").not_null())
                    .col(text("status"))
                    .col(ColumnDef::new("occurred_at").big_integer())
                    .col(ColumnDef::new("received_at").big_integer().not_null())
                    .col(ColumnDef::new("signed_at").big_integer())
                    .col(ColumnDef::new("order_key").big_integer().not_null())
                    .col(text("proposal_vendor_id"))
                    .col(text("client_vendor_id"))
                    .col(text("project_vendor_id"))
                    .col(text("drawing_vendor_id"))
                    .col(text("body").not_null())
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("delivery")
                    .col(columns.key("id"))
                    .col(text("provider").not_null())
                    .col(text("vendor_type"))
                    .col(ColumnDef::new("received_at").big_integer().not_null())
                    .col(ColumnDef::new("signed_at").big_integer())
                    .col(text("outcome").not_null())
                    .col(text("quarantine_reason"))
                    .col(text("detail"))
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
