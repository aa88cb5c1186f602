//! Indexes for the lists of deliveries and payments and for the search; how many deliveries each
//! webhook has sent, and when one of each vendor was last refused. A node of the version before
//! records neither.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The indexes. An export of proposals follows their creation. Few deliveries were ever in
/// quarantine, and only those are in the index of reasons. A job number and an e-mail address are
/// compared without the case of A to Z: the expressions mean the same on both databases, whose
/// other folding differs. An index entry of PostgreSQL has no room for more than the beginning of a
/// text.
const INDEXES: [&str; 9] = [
    r#"CREATE INDEX "delivery_provider" ON "delivery" ("provider", "id")"#,
    r#"CREATE INDEX "delivery_received_at" ON "delivery" ("received_at", "id")"#,
    r#"CREATE INDEX "delivery_reason" ON "delivery" ("quarantine_reason", "id") WHERE "quarantine_reason" IS NOT NULL"#,
    r#"CREATE INDEX "payment_paid" ON "payment" ("paid_at", "paid_on")"#,
    r#"CREATE INDEX "payment_amount" ON "payment" ("amount")"#,
    r#"CREATE INDEX "proposal_status_created" ON "proposal" ("status", "created_order", "provider", "vendor_id")"#,
    r#"CREATE INDEX "proposal_provider_created" ON "proposal" ("provider", "created_order", "vendor_id")"#,
    r#"CREATE INDEX "project_search_job_number" ON "project" (LOWER("job_number_key"))"#,
    r#"CREATE INDEX "proposal_search_email" ON "proposal" (LOWER(SUBSTR("customer_email", 1, 254)))"#,
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let refusals = Table::create()
            .table("hook_refusal")
            .col(Columns::of(manager).text("provider").not_null().primary_key())
            .col(ColumnDef::new("refused_at").big_integer().not_null())
            .take();
        manager.create_table(refusals).await?;
        let count = ColumnDef::new("delivery_count").big_integer().not_null().default(0).take();
        manager.alter_table(Table::alter().table("bidsketch_webhook").add_column(count).take()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}
