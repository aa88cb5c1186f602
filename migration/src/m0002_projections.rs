//! What the log says now: projects, drawings, clients, proposals, payments.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const PROJECT: &[&str] = &["name", "job_number", "tags", "customer", "work_site_address", "sales_rep"];
const DRAWING: &[&str] = &["project_vendor_id", "name", "tags", "pdf_url", "png_url", "file_name"];
const CLIENT: &[&str] = &[
    "name",
    "first_name",
    "last_name",
    "email",
    "phone",
    "alt_phone",
    "website",
    "address_field_one",
    "address_field_two",
    "city",
    "state",
    "postal_zip",
    "country",
    "notes",
    "other_contact",
    "url",
    "app_url",
];
const PROPOSAL: &[&str] = &[
    "name",
    "description",
    "status",
    "vendor_status",
    "owner",
    "currency",
    "customer_name",
    "customer_email",
    "client_vendor_id",
    "project_vendor_id",
    "drawing_vendor_id",
    "url",
    "app_url",
];
const PROPOSAL_MONEY: &[&str] = &["total", "one_time_fees", "monthly_fees", "yearly_fees", "tax", "tax2", "discount"];
const VENDOR_TIMES: &[&str] = &["created_at", "updated_at"];

fn text(table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(ColumnDef::new(*name).text());
    }
}

fn numbers(table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(ColumnDef::new(*name).big_integer());
    }
}

fn own_times(table: &mut TableCreateStatement) {
    for name in ["order_key", "first_seen_at", "last_event_at"] {
        table.col(ColumnDef::new(name).big_integer().not_null());
    }
}

fn keyed(name: &'static str, columns: &[&'static str]) -> TableCreateStatement {
    let mut table = Table::create().table(name).col(ColumnDef::new("vendor_id").text().not_null().primary_key()).take();
    text(&mut table, columns);
    own_times(&mut table);
    table
}

fn proposal() -> TableCreateStatement {
    let mut table = Table::create()
        .table("proposal")
        .col(ColumnDef::new("provider").text().not_null())
        .col(ColumnDef::new("vendor_id").text().not_null())
        .primary_key(Index::create().col("provider").col("vendor_id"))
        .col(ColumnDef::new("is_draft").boolean())
        .take();
    text(&mut table, PROPOSAL);
    numbers(&mut table, PROPOSAL_MONEY);
    numbers(&mut table, VENDOR_TIMES);
    own_times(&mut table);
    table
}

fn payment() -> TableCreateStatement {
    Table::create()
        .table("payment")
        .col(ColumnDef::new("event_seq").big_integer().not_null().primary_key())
        .col(ColumnDef::new("proposal_vendor_id").text().not_null())
        .col(ColumnDef::new("drawing_vendor_id").text())
        .col(ColumnDef::new("amount").big_integer().not_null())
        .col(ColumnDef::new("channel").text().not_null())
        .col(ColumnDef::new("method").text())
        .col(ColumnDef::new("paid_at").big_integer())
        .col(ColumnDef::new("paid_on").text())
        .col(ColumnDef::new("received_at").big_integer().not_null())
        .take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut project = keyed("project", PROJECT);
        numbers(&mut project, VENDOR_TIMES);
        let mut client = keyed("client", CLIENT);
        numbers(&mut client, VENDOR_TIMES);
        for table in [project, keyed("drawing", DRAWING), client, proposal(), payment()] {
            manager.create_table(table).await?;
        }
        for (name, table, columns) in [
            ("drawing_project", "drawing", &["project_vendor_id", "vendor_id"][..]),
            ("proposal_client", "proposal", &["client_vendor_id", "vendor_id"]),
            ("proposal_project", "proposal", &["project_vendor_id", "vendor_id"]),
            ("payment_proposal", "payment", &["proposal_vendor_id", "event_seq"]),
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
