//! Columns for texts as `domain::fold` makes them, to sort and search by. The service fills them
//! after the migration, a few rows at a time, and again for each row that a node of the version
//! before writes meanwhile: a row is stale as long as the columns of that version differ.

use sea_orm_migration::prelude::*;

use crate::column::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, their keys, and the condition on stale rows.
const TABLES: [(&str, &[&str], &str); 4] = [
    ("project", &["vendor_id"], STALE_NAME),
    ("drawing", &["vendor_id"], STALE_NAME),
    ("client", &["vendor_id"], STALE_CLIENT),
    ("proposal", &["provider", "vendor_id"], STALE_NAME),
];
const STALE_NAME: &str = r#""name_folded" <> "name_search""#;
const STALE_CLIENT: &str = r#""name_folded" <> "name_search" OR "email_folded" IS DISTINCT FROM "email_search" OR "city_folded" IS DISTINCT FROM "city_search""#;

/// Nodes of the version before sort and search without an index until they stop.
const FORMER_INDEXES: [(&str, &str); 6] = [
    ("project_name", "project"),
    ("drawing_name", "drawing"),
    ("client_name", "client"),
    ("client_email", "client"),
    ("client_city", "client"),
    ("proposal_name", "proposal"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        for (table, key, stale) in TABLES {
            for name in ["name_sort", "name_search"] {
                let column = columns.text(name).not_null().default("").take();
                manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
            }
            if table == "client" {
                for name in ["email_search", "city_search"] {
                    manager.alter_table(Table::alter().table(table).add_column(columns.text(name)).take()).await?;
                    create_index(manager, table, name, &["last_event_at", "vendor_id"]).await?;
                }
            }
            create_index(manager, table, "name_sort", key).await?;
            // No other index has the order of `order_key`, so a search for stale rows in this order
            // uses the one that has no others.
            let index = format!(r#"CREATE INDEX "{table}_stale_texts" ON "{table}" ("order_key") WHERE {stale}"#);
            manager.get_connection().execute_unprepared(&index).await?;
        }
        for (index, table) in FORMER_INDEXES {
            manager.drop_index(Index::drop().name(index).table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// An index of a column, and of others that order rows of the same value.
async fn create_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: &'static str,
    then: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create().name(format!("{table}_{column}")).table(table).col(column).take();
    for column in then {
        index.col(*column);
    }
    manager.create_index(index).await
}
