//! PostgreSQL: one statement for all rows of all tables. The rows of a table come as one parameter, a JSON array from which the server
//! makes rows of the table's own type, so a statement's text depends on its tables alone and is prepared once.

use std::fmt::Write;

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use serde::ser::{Error, Serialize, Serializer};

use super::Rows;
use crate::store::StoreError;
use crate::store::convert::to_json;

pub(super) async fn write<C: ConnectionTrait>(db: &C, tables: &[Rows]) -> Result<(), StoreError> {
    if tables.is_empty() {
        return Ok(());
    }
    let values = tables.iter().map(|table| Ok(to_json(table)?.into())).collect::<Result<Vec<Value>, StoreError>>()?;
    db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql(tables), values)).await?;
    Ok(())
}

/// Inserts into several tables: all but the last are parts of the last one's WITH. They see nothing of each other, and need not.
fn sql(tables: &[Rows]) -> String {
    let last = tables.len().saturating_sub(1);
    let mut sql = String::new();
    for (place, table) in tables.iter().enumerate() {
        let insert = insert(table, place + 1);
        // Writing to a string does not fail.
        let _ = match place {
            _ if place == last => write!(sql, "{}{insert}", if place == 0 { "" } else { " " }),
            0 => write!(sql, "WITH part_{place} AS ({insert})"),
            _ => write!(sql, ", part_{place} AS ({insert})"),
        };
    }
    sql
}

fn insert(table: &Rows, parameter: usize) -> String {
    let quoted = |names: &mut dyn Iterator<Item = &'static str>| {
        names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    };
    let columns = quoted(&mut table.columns.iter().copied());
    let name = table.table;
    let mut sql = format!(
        "INSERT INTO \"{name}\" ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::\"{name}\", CAST(${parameter} AS json))"
    );
    if table.replace {
        let key = quoted(&mut table.key.iter().copied());
        let others: Vec<String> = table.others().map(|name| format!("\"{name}\" = excluded.\"{name}\"")).collect();
        let _ = write!(sql, " ON CONFLICT ({key}) DO UPDATE SET {}", others.join(", "));
    }
    sql
}

/// As JSON: an array of objects whose names are the columns'.
impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| Object { columns: &self.columns, row }))
    }
}

struct Object<'a> {
    columns: &'a [&'static str],
    row: &'a [Value],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().zip(self.row.iter().map(Scalar)))
    }
}

/// A value as the server reads it for a column of its type.
struct Scalar<'a>(&'a Value);

impl Serialize for Scalar<'_> {
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

    fn rows(table: &'static str, replace: bool) -> Rows {
        let rows = vec![vec![i64::MIN.into(), "a\0\"\n\\".into()], vec![2_i64.into(), Value::String(None)]];
        Rows { table, columns: vec!["id", "name"], key: vec!["id"], replace, rows }
    }

    #[test]
    fn a_statement_is_one_for_all_tables() {
        let insert = |table, parameter| {
            format!(
                "INSERT INTO \"{table}\" (\"id\", \"name\") SELECT \"id\", \"name\" FROM \
                 json_populate_recordset(NULL::\"{table}\", CAST(${parameter} AS json))"
            )
        };
        assert_eq!(sql(&[rows("a", false)]), insert("a", 1));
        let replaced = " ON CONFLICT (\"id\") DO UPDATE SET \"name\" = excluded.\"name\"";
        assert_eq!(
            sql(&[rows("a", false), rows("b", true), rows("c", false)]),
            format!("WITH part_0 AS ({}), part_1 AS ({}{replaced}) {}", insert("a", 1), insert("b", 2), insert("c", 3)),
        );
    }

    #[test]
    fn rows_keep_every_digit_and_letter() {
        let json = serde_json::to_string(&rows("a", false)).unwrap();
        assert_eq!(json, r#"[{"id":-9223372036854775808,"name":"a\u0000\"\n\\"},{"id":2,"name":null}]"#);
    }

    #[test]
    fn bytes_are_hexadecimal_digits_and_nothing_else_is_guessed() {
        assert_eq!(serde_json::to_string(&Scalar(&vec![0_u8, 255].into())).unwrap(), r#""\\x00ff""#);
        assert_eq!(serde_json::to_string(&Scalar(&Value::Bytes(None))).unwrap(), "null");
        assert!(serde_json::to_string(&Scalar(&1.5_f64.into())).is_err());
    }
}
