//! The projections: projects, drawings, clients, proposals, payments.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

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
/// The columns by which lists are sorted and searched. They are never null, so that an index
/// answers every order, and both databases sort the same.
const ORDER_TIMES: &[&str] = &["created_order", "updated_order"];
const NAMES: &[&str] = &["name_order", "name_folded"];

fn text(columns: Columns, table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(columns.text(name));
    }
}

fn numbers(table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(ColumnDef::new(*name).big_integer());
    }
}

fn own_times(table: &mut TableCreateStatement) {
    required_numbers(table, &["order_key", "first_seen_at", "last_event_at"]);
}

fn required_numbers(table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(ColumnDef::new(*name).big_integer().not_null());
    }
}

fn required_text(columns: Columns, table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(columns.text(name).not_null());
    }
}

/// Each tag has one row, so that an index finds the objects with a tag.
fn tags(columns: Columns, name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(columns.text("tag").not_null())
        .col(columns.text("vendor_id").not_null())
        .primary_key(Index::create().col("tag").col("vendor_id"))
        .take()
}

fn keyed(columns: Columns, name: &'static str, texts: &[&'static str]) -> TableCreateStatement {
    let mut table = Table::create().table(name).col(columns.text("vendor_id").not_null().primary_key()).take();
    text(columns, &mut table, texts);
    own_times(&mut table);
    table
}

fn proposal(columns: Columns) -> TableCreateStatement {
    let mut table = Table::create()
        .table("proposal")
        .col(columns.text("provider").not_null())
        .col(columns.text("vendor_id").not_null())
        .primary_key(Index::create().col("provider").col("vendor_id"))
        .col(ColumnDef::new("is_draft").boolean())
        .take();
    text(columns, &mut table, PROPOSAL);
    numbers(&mut table, PROPOSAL_MONEY);
    numbers(&mut table, VENDOR_TIMES);
    own_times(&mut table);
    required_numbers(&mut table, ORDER_TIMES);
    required_numbers(&mut table, &["total_order"]);
    required_text(columns, &mut table, NAMES);
    table
}

fn payment(columns: Columns) -> TableCreateStatement {
    Table::create()
        .table("payment")
        .col(ColumnDef::new("event_seq").big_integer().not_null().primary_key())
        .col(columns.text("proposal_vendor_id").not_null())
        .col(columns.text("drawing_vendor_id"))
        .col(ColumnDef::new("amount").big_integer().not_null())
        .col(columns.text("channel").not_null())
        .col(columns.text("method"))
        .col(ColumnDef::new("paid_at").big_integer())
        .col(columns.text("paid_on"))
        .col(ColumnDef::new("received_at").big_integer().not_null())
        .take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let mut project = keyed(columns, "project", PROJECT);
        let mut client = keyed(columns, "client", CLIENT);
        for table in [&mut project, &mut client] {
            numbers(table, VENDOR_TIMES);
            required_numbers(table, ORDER_TIMES);
            required_text(columns, table, NAMES);
        }
        text(columns, &mut client, &["email_folded", "city_folded"]);
        let mut drawing = keyed(columns, "drawing", DRAWING);
        required_text(columns, &mut drawing, NAMES);
        let tables = [
            project,
            drawing,
            client,
            proposal(columns),
            payment(columns),
            tags(columns, "project_tag"),
            tags(columns, "drawing_tag"),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        // The key distinguishes rows of the same value. The rows found by one value come in the
        // default order.
        for (name, table, columns) in [
            ("project_last_event", "project", &["last_event_at", "vendor_id"][..]),
            ("project_created", "project", &["created_order", "vendor_id"]),
            ("project_updated", "project", &["updated_order", "vendor_id"]),
            ("project_name", "project", &["name_order", "vendor_id"]),
            ("project_job_number", "project", &["job_number", "last_event_at", "vendor_id"]),
            ("project_tag_of", "project_tag", &["vendor_id"]),
            ("drawing_last_event", "drawing", &["last_event_at", "vendor_id"]),
            ("drawing_first_seen", "drawing", &["first_seen_at", "vendor_id"]),
            ("drawing_name", "drawing", &["name_order", "vendor_id"]),
            ("drawing_project", "drawing", &["project_vendor_id", "last_event_at", "vendor_id"]),
            ("drawing_tag_of", "drawing_tag", &["vendor_id"]),
            ("client_last_event", "client", &["last_event_at", "vendor_id"]),
            ("client_created", "client", &["created_order", "vendor_id"]),
            ("client_updated", "client", &["updated_order", "vendor_id"]),
            ("client_name", "client", &["name_order", "vendor_id"]),
            ("client_email", "client", &["email_folded", "last_event_at", "vendor_id"]),
            ("client_city", "client", &["city_folded", "last_event_at", "vendor_id"]),
            ("proposal_last_event", "proposal", &["last_event_at", "provider", "vendor_id"]),
            ("proposal_created", "proposal", &["created_order", "provider", "vendor_id"]),
            ("proposal_updated", "proposal", &["updated_order", "provider", "vendor_id"]),
            ("proposal_name", "proposal", &["name_order", "provider", "vendor_id"]),
            ("proposal_total", "proposal", &["total_order", "provider", "vendor_id"]),
            ("proposal_status", "proposal", &["status", "last_event_at", "provider", "vendor_id"]),
            ("proposal_client", "proposal", &["client_vendor_id", "last_event_at", "provider", "vendor_id"]),
            ("proposal_project", "proposal", &["project_vendor_id", "last_event_at", "provider", "vendor_id"]),
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
