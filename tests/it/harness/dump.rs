//! All rows of a database, to be compared with those of another time or place.

use super::Database;

impl Database {
    /// Every row of every table, as text.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let tables = self.says(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        );
        let mut dump = Vec::new();
        for table in self.texts(tables).await {
            let columns = self.says(
                "SELECT name FROM pragma_table_info('{table}') ORDER BY cid",
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position",
            );
            let columns = self.texts(&columns.replace("{table}", &table)).await;
            let quote = self.says("quote", "quote_nullable");
            let values: Vec<String> =
                columns.iter().map(|column| format!("'{column}=' || {quote}(\"{column}\")")).collect();
            let rows = format!("SELECT '{table}: ' || {} FROM \"{table}\" ORDER BY 1", values.join(" || ' ' || "));
            dump.extend(self.texts(&rows).await);
        }
        dump
    }
}

/// That two dumps are the same; what differs is shown.
#[track_caller]
pub(crate) fn assert_same(before: &[String], after: &[String]) {
    if before != after {
        let gone: Vec<_> = before.iter().filter(|row| !after.contains(row)).take(5).collect();
        let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).take(5).collect();
        panic!("{} rows were {}; before: {gone:#?}\nafter: {new:#?}", before.len(), after.len());
    }
}
