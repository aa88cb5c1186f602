//! What happened to a proposal, and when: the columns for numbers, with their indexes.
//!
//! The events themselves say which of them are counted. A node of the version before leaves
//! `is_counted` null, as the events of before the migration have it. The service counts those
//! events after its start, a few at a time, and again whenever such a node has recorded some.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What a proposal is counted under: its vendor, its status and its currency, in one short text, so
/// that one index gives all numbers.
const FILL_KEYS: &str = r#"UPDATE "proposal" SET "stats_key" = "provider" || ' ' || COALESCE("status", '') || ' ' ||
CASE WHEN length("currency") = 3 THEN "currency" ELSE '' END"#;

/// The indexes of the new columns. Those with a condition hold few rows, and cost nothing for the
/// others.
const INDEXES: [&str; 9] = [
    r#"CREATE INDEX "proposal_stats" ON "proposal" ("stats_key", "created_order", "total", "sent_at", "first_viewed_at", "decided_at", "vendor_id")"#,
    r#"CREATE INDEX "proposal_paid" ON "proposal" ("stats_key", "created_order", "paid") WHERE "paid" <> 0"#,
    r#"CREATE INDEX "proposal_sent" ON "proposal" ("sent_at", "provider", "vendor_id") WHERE "sent_at" IS NOT NULL"#,
    r#"CREATE INDEX "proposal_decided" ON "proposal" ("decided_at", "provider", "vendor_id") WHERE "decided_at" IS NOT NULL"#,
    r#"CREATE INDEX "proposal_viewed" ON "proposal" ("last_event_at", "provider", "vendor_id") WHERE "first_viewed_at" IS NOT NULL"#,
    r#"CREATE INDEX "proposal_not_viewed" ON "proposal" ("last_event_at", "provider", "vendor_id") WHERE "first_viewed_at" IS NULL AND "provider" <> 'ARCSITE'"#,
    r#"CREATE INDEX "event_uncounted" ON "event" ("seq") WHERE "is_counted" IS NULL AND "proposal_vendor_id" IS NOT NULL"#,
    r#"CREATE INDEX "event_view_slot" ON "event" ("view_slot") WHERE "view_slot" IS NOT NULL"#,
    r#"CREATE INDEX "event_view" ON "event" ("proposal_vendor_id", "view_slot") WHERE "view_slot" IS NOT NULL"#,
];

/// The indexes of columns that are there already. They come first: a new column keeps the other
/// nodes from reading its table until the transaction ends, and these do not. Few deliveries are
/// redeliveries, and only those are in the index of them.
const FIRST_INDEXES: [&str; 3] = [
    r#"CREATE INDEX "event_status" ON "event" ("status", "seq") WHERE "status" IS NOT NULL"#,
    r#"CREATE INDEX "event_vendor_type" ON "event" ("vendor_type", "seq")"#,
    r#"CREATE INDEX "delivery_redelivery" ON "delivery" ("outcome", "event_seq") WHERE "outcome" = 'REDELIVERY'"#,
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for index in FIRST_INDEXES {
            db.execute_unprepared(index).await?;
        }
        let columns = Columns::of(manager);
        let number = |name| ColumnDef::new(name).big_integer().take();
        let count = |name| ColumnDef::new(name).big_integer().not_null().default(0).take();
        for (table, column) in [
            ("proposal", number("sent_at")),
            ("proposal", number("first_viewed_at")),
            ("proposal", number("last_viewed_at")),
            ("proposal", count("view_count")),
            ("proposal", number("decided_at")),
            ("proposal", count("paid")),
            ("proposal", columns.text("stats_key").not_null().default("").take()),
            ("event", columns.text("previous_status")),
            ("event", number("view_slot")),
            ("event", ColumnDef::new("is_counted").boolean().take()),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        db.execute_unprepared(FILL_KEYS).await?;
        for index in INDEXES {
            db.execute_unprepared(index).await?;
        }
        // Statistics over times read the vendor and the kind as well.
        manager.drop_index(Index::drop().name("event_received_at").table("event").to_owned()).await?;
        let index = Index::create().name("event_received_at").table("event").col("received_at").col("provider").take();
        manager.create_index(index.to_owned().col("kind").take()).await
    }
}
