//! SQLite: one call for all rows of all tables, because each call is a round trip between threads.

use std::fmt::Write;
use std::iter::repeat_n;

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use super::TableRows;
use crate::store::StoreError;

/// How many values a call has at most, unless a single row has more. A prepared text of so many
/// takes about 0.2 MB, and the connection keeps some hundred of them. (Fewer in tests, so that they
/// reach the limit.)
const CALL_MAX_VALUES: usize = if cfg!(test) { 100 } else { 2048 };

pub(super) async fn write<C: ConnectionTrait>(db: &C, tables: Vec<TableRows>) -> Result<(), StoreError> {
    let mut call = Call::default();
    for mut table in tables {
        let mut rows = std::mem::take(&mut table.rows);
        while !rows.is_empty() {
            let rows_max = call.values_left() / table.columns.len();
            let count = rows.len().min(previous_power_of_two(rows_max));
            if count == 0 && !call.values.is_empty() {
                call.execute(db).await?;
                continue;
            }
            let rest = rows.split_off(count.max(1));
            call.insert(&table, std::mem::replace(&mut rows, rest));
        }
    }
    call.execute(db).await
}

/// The inserts of one call. The driver runs all statements of a text one after the other, and
/// prepares each text once.
#[derive(Default)]
struct Call {
    sql: String,
    values: Vec<Value>,
}

impl Call {
    const fn values_left(&self) -> usize {
        CALL_MAX_VALUES.saturating_sub(self.values.len())
    }

    /// Adds an insert of these rows, padded to a power of two. Each number of rows gives another
    /// text, which SQLite must prepare; of powers of two there are few. A padding row has only
    /// nulls, and no row of a table has a null in the first column of its key.
    fn insert(&mut self, table: &TableRows, rows: Vec<Vec<Value>>) {
        let padded_to = rows.len().next_power_of_two();
        let padding = (padded_to - rows.len()) * table.columns.len();
        self.values.extend(rows.into_iter().flatten());
        self.values.extend(repeat_n(Value::BigInt(None), padding));
        write_insert(&mut self.sql, table, padded_to);
    }

    async fn execute<C: ConnectionTrait>(&mut self, db: &C) -> Result<(), StoreError> {
        let Self { sql, values } = std::mem::take(self);
        if !sql.is_empty() {
            db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await?;
        }
        Ok(())
    }
}

/// Writes a statement that inserts `rows` rows, and none for those that are padding.
fn write_insert(sql: &mut String, table: &TableRows, rows: usize) {
    let name = table.table;
    let list = |sql: &mut String, columns: &mut dyn Iterator<Item = String>| {
        for (index, column) in columns.enumerate() {
            sql.push_str(if index == 0 { "" } else { ", " });
            sql.push_str(&column);
        }
    };
    let quoted = |column: &&'static str| format!("\"{column}\"");
    let _ = write!(sql, "INSERT INTO \"{name}\" (");
    list(sql, &mut table.columns.iter().map(quoted));
    sql.push_str(") SELECT * FROM (VALUES ");
    let row = format!("({})", vec!["?"; table.columns.len()].join(","));
    for index in 0..rows {
        sql.push_str(if index == 0 { "" } else { "," });
        sql.push_str(&row);
    }
    let key = table.columns.iter().position(|column| table.key.first() == Some(column)).unwrap_or_default();
    let _ = write!(sql, ") WHERE \"column{}\" IS NOT NULL", key + 1);
    if table.upsert {
        sql.push_str(" ON CONFLICT (");
        list(sql, &mut table.key.iter().map(quoted));
        sql.push_str(") DO UPDATE SET ");
        list(sql, &mut table.non_key_columns().map(|column| format!("\"{column}\" = excluded.\"{column}\"")));
    }
    sql.push_str("; ");
}

/// The greatest power of two that is not greater than `count`, or 0.
const fn previous_power_of_two(count: usize) -> usize {
    match count.checked_ilog2() {
        Some(log) => 1 << log,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_pads_rows_and_skips_the_padding() {
        let table = TableRows {
            table: "a",
            columns: vec!["name", "id", "size"],
            key: vec!["id"],
            upsert: true,
            rows: Vec::new(),
        };
        let mut call = Call::default();
        call.insert(&table, vec![vec![Value::from("x"), 1_i64.into(), 2_i64.into()]; 3]);
        assert_eq!(
            call.sql,
            "INSERT INTO \"a\" (\"name\", \"id\", \"size\") SELECT * FROM \
             (VALUES (?,?,?),(?,?,?),(?,?,?),(?,?,?)) WHERE \"column2\" IS NOT NULL \
             ON CONFLICT (\"id\") DO UPDATE SET \"name\" = excluded.\"name\", \"size\" = excluded.\"size\"; "
        );
        assert_eq!(call.values.len(), 12);
        assert!(call.values[9..].iter().all(|value| *value == Value::BigInt(None)));
    }

    #[test]
    fn row_count_is_the_greatest_power_of_two() {
        assert_eq!(previous_power_of_two(0), 0);
        for count in 1..=300 {
            let rows = previous_power_of_two(count);
            assert!(rows.is_power_of_two() && rows <= count && 2 * rows > count, "{rows} of {count}");
        }
    }
}
