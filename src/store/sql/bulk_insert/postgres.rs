//! PostgreSQL: one statement for all rows of all tables. The rows of a table are one parameter, a
//! JSON array that the server converts to rows of the table's type. So the text of a statement
//! depends only on its tables, and the server prepares it once.

use std::fmt::Write;

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use serde::ser::{Error, Serialize, Serializer};

use super::TableRows;
use crate::store::StoreError;
use crate::store::sql::convert::to_json;

/// How many bytes of rows a statement has at most, unless a single row has more. The rows exist
/// several times on their way, and the driver's buffer stays as large as the largest statement.
/// (Fewer in tests, so that they reach the limit.)
const STATEMENT_MAX_BYTES: usize = if cfg!(test) { 2000 } else { 4 * 1024 * 1024 };

pub(super) async fn write<C: ConnectionTrait>(db: &C, tables: &[TableRows]) -> Result<(), StoreError> {
    for parts in statements(tables)? {
        execute_insert(db, parts).await?;
    }
    Ok(())
}

/// The rows of a table in one statement, as a JSON array that is not closed yet.
type Part<'a> = (&'a TableRows, String);

/// Divides the rows among statements.
fn statements(tables: &[TableRows]) -> Result<Vec<Vec<Part<'_>>>, StoreError> {
    let (mut statements, mut parts, mut bytes) = (Vec::new(), Vec::new(), 0);
    for table in tables {
        let mut json = String::new();
        for row in &table.rows {
            let row = to_json(&JsonRow { columns: &table.columns, row })?;
            if bytes > 0 && bytes + row.len() > STATEMENT_MAX_BYTES {
                parts.push((table, std::mem::take(&mut json)));
                statements.push(std::mem::take(&mut parts));
                bytes = 0;
            }
            bytes += row.len();
            json.push(if json.is_empty() { '[' } else { ',' });
            json.push_str(&row);
        }
        parts.push((table, json));
    }
    statements.push(parts);
    Ok(statements)
}

/// Inserts the rows of one statement.
async fn execute_insert<C: ConnectionTrait>(db: &C, parts: Vec<Part<'_>>) -> Result<(), StoreError> {
    let parts: Vec<Part<'_>> = parts.into_iter().filter(|(_, json)| !json.is_empty()).collect();
    if parts.is_empty() {
        return Ok(());
    }
    let sql = statement_sql(parts.iter().map(|(table, _)| *table));
    let values = parts.into_iter().map(|(_, json)| Value::from(json + "]"));
    db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
    Ok(())
}

/// One statement with an insert for each table. All except the last are in its WITH clause. They do
/// not see each other's rows, and need not.
fn statement_sql<'a>(tables: impl Iterator<Item = &'a TableRows>) -> String {
    let mut inserts: Vec<String> = (1..).zip(tables).map(|(parameter, table)| insert_sql(table, parameter)).collect();
    let Some(last) = inserts.pop() else { return String::new() };
    let other_inserts = (0..).zip(inserts).map(|(number, insert)| format!("part_{number} AS ({insert})"));
    let other_inserts: Vec<String> = other_inserts.collect();
    if other_inserts.is_empty() { last } else { format!("WITH {} {last}", other_inserts.join(", ")) }
}

fn insert_sql(table: &TableRows, parameter: usize) -> String {
    let quoted = |names: &mut dyn Iterator<Item = &'static str>| {
        names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    };
    let columns = quoted(&mut table.columns.iter().copied());
    let name = table.table;
    let mut sql = format!(
        "INSERT INTO \"{name}\" ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::\"{name}\", CAST(${parameter} AS json))"
    );
    if table.upsert {
        let key = quoted(&mut table.key.iter().copied());
        let assignments: Vec<String> =
            table.non_key_columns().map(|name| format!("\"{name}\" = excluded.\"{name}\"")).collect();
        let _ = write!(sql, " ON CONFLICT ({key}) DO UPDATE SET {}", assignments.join(", "));
    }
    sql
}

/// A row as a JSON object of its columns.
struct JsonRow<'a> {
    columns: &'a [&'static str],
    row: &'a [Value],
}

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().zip(self.row.iter().map(JsonValue)))
    }
}

/// A value as JSON that the server reads as the column's type.
struct JsonValue<'a>(&'a Value);

impl Serialize for JsonValue<'_> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library has types that no column here has")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::BigInt(number) => number.serialize(serializer),
            Value::String(text) => text.serialize(serializer),
            Value::Bool(truth) => truth.serialize(serializer),
            Value::Bytes(None) => serializer.serialize_none(),
            Value::Bytes(Some(bytes)) => serializer.collect_str(&format_args!("\\x{}", hex::encode(bytes))),
            other => Err(S::Error::custom(format!("{other:?} is of a type that no column has"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(table: &'static str) -> TableRows {
        TableRows { table, columns: vec!["id", "name"], key: vec!["id"], upsert: false, rows: Vec::new() }
    }

    fn rows(table: &'static str, upsert: bool) -> TableRows {
        let rows = vec![vec![i64::MIN.into(), "a\0\"\n\\".into()], vec![2_i64.into(), Value::String(None)]];
        TableRows { upsert, rows, ..rows_of(table) }
    }

    #[test]
    fn statement_covers_all_tables() {
        let insert = |table, parameter| {
            format!(
                "INSERT INTO \"{table}\" (\"id\", \"name\") SELECT \"id\", \"name\" FROM \
                 json_populate_recordset(NULL::\"{table}\", CAST(${parameter} AS json))"
            )
        };
        assert_eq!(statement_sql([&rows("a", false)].into_iter()), insert("a", 1));
        let on_conflict = " ON CONFLICT (\"id\") DO UPDATE SET \"name\" = excluded.\"name\"";
        assert_eq!(
            statement_sql([&rows("a", false), &rows("b", true), &rows("c", false)].into_iter()),
            format!(
                "WITH part_0 AS ({}), part_1 AS ({}{on_conflict}) {}",
                insert("a", 1),
                insert("b", 2),
                insert("c", 3)
            ),
        );
    }

    #[test]
    fn statement_has_a_bounded_number_of_bytes_or_one_row() {
        let table = |table, lengths: &[usize]| {
            let rows = lengths.iter().map(|length| vec![1_i64.into(), "x".repeat(*length).into()]).collect();
            TableRows { rows, ..rows_of(table) }
        };
        // A row has 18 bytes besides its text. Three such rows have as many bytes as fit.
        let fitting = (STATEMENT_MAX_BYTES - 3 * 18) / 3;
        let tables = [table("a", &[fitting; 2]), table("b", &[fitting; 2]), table("c", &[9 * fitting, 1, 1])];
        let statements: Vec<Vec<(&str, usize)>> = (statements(&tables).unwrap().iter())
            .map(|parts| parts.iter().map(|(table, json)| (table.table, json.matches("\"id\"").count())).collect())
            .collect();
        assert_eq!(statements, [vec![("a", 2), ("b", 1)], vec![("b", 1), ("c", 0)], vec![("c", 1)], vec![("c", 2)]]);
    }

    #[test]
    fn json_row_keeps_every_digit_and_letter() {
        let rows = rows("a", false);
        let json = |row: &[Value]| serde_json::to_string(&JsonRow { columns: &rows.columns, row }).unwrap();
        assert_eq!(json(&rows.rows[0]), r#"{"id":-9223372036854775808,"name":"a\u0000\"\n\\"}"#);
        assert_eq!(json(&rows.rows[1]), r#"{"id":2,"name":null}"#);
    }

    #[test]
    fn bytes_become_hex_and_other_types_are_refused() {
        assert_eq!(serde_json::to_string(&JsonValue(&vec![0_u8, 255].into())).unwrap(), r#""\\x00ff""#);
        assert_eq!(serde_json::to_string(&JsonValue(&Value::Bytes(None))).unwrap(), "null");
        assert!(serde_json::to_string(&JsonValue(&1.5_f64.into())).is_err());
    }
}
