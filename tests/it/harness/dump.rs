//! Dumps all rows of a database, for comparison with another dump.

use super::Database;

impl Database {
    /// Every row of every table, as text.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let tables = self.by_dialect(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        );
        let mut dump = Vec::new();
        for table in self.texts(tables).await {
            let columns = self.by_dialect(
                "SELECT name FROM pragma_table_info('{table}') ORDER BY cid",
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position",
            );
            let columns = self.texts(&columns.replace("{table}", &table)).await;
            let quote = self.by_dialect("quote", "quote_nullable");
            let values: Vec<String> =
                columns.iter().map(|column| format!("'{column}=' || {quote}(\"{column}\")")).collect();
            let rows = format!("SELECT '{table}: ' || {} FROM \"{table}\" ORDER BY 1", values.join(" || ' ' || "));
            dump.extend(self.texts(&rows).await);
        }
        dump
    }

    /// Every row of every table except the audit, which has an entry for each start of a service.
    pub(crate) async fn dump_without_audit(&self) -> Vec<String> {
        let mut dump = self.dump().await;
        dump.retain(|row| !row.starts_with("audit: "));
        dump
    }
}

/// Asserts that two dumps are equal. Shows the first rows that differ.
#[track_caller]
pub(crate) fn assert_same_rows(before: &[String], after: &[String]) {
    if before != after {
        let removed: Vec<_> = before.iter().filter(|row| !after.contains(row)).take(5).collect();
        let added: Vec<_> = after.iter().filter(|row| !before.contains(row)).take(5).collect();
        panic!("{} rows became {}; removed: {removed:#?}\nadded: {added:#?}", before.len(), after.len());
    }
}
