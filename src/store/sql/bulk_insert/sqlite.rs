//! SQLite: a few statements for each table. A round trip is only one between threads.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{OnConflict, Query, Value};

use super::TableRows;
use crate::store::StoreError;

/// How many values a statement has at most. SQLite's limit is 32,766. (Fewer in tests, so that they
/// reach the limit.)
const STATEMENT_MAX_VALUES: usize = if cfg!(test) { 100 } else { 2048 };

pub(super) async fn write<C: ConnectionTrait>(db: &C, tables: Vec<TableRows>) -> Result<(), StoreError> {
    for mut table in tables {
        let mut rows = std::mem::take(&mut table.rows);
        let rows_max = STATEMENT_MAX_VALUES / table.columns.len();
        while !rows.is_empty() {
            let rest = rows.split_off(previous_power_of_two(rows.len().min(rows_max)));
            insert_rows(db, &table, std::mem::replace(&mut rows, rest)).await?;
        }
    }
    Ok(())
}

async fn insert_rows<C: ConnectionTrait>(db: &C, table: &TableRows, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    let mut insert = Query::insert().into_table(table.table).columns(table.columns.iter().copied()).take();
    for row in rows {
        insert.values_panic(row.into_iter().map(Into::into));
    }
    if table.upsert {
        insert.on_conflict(
            OnConflict::columns(table.key.iter().copied()).update_columns(table.non_key_columns()).to_owned(),
        );
    }
    db.execute(&insert).await?;
    Ok(())
}

/// The greatest power of two that is not greater than `count`. Each number of rows gives a
/// statement with another text, which SQLite must prepare. With powers of two there are few, and
/// the prepared ones are reused.
const fn previous_power_of_two(count: usize) -> usize {
    1 << count.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_count_is_the_greatest_power_of_two() {
        for count in 1..=300 {
            let rows = previous_power_of_two(count);
            assert!(rows.is_power_of_two() && rows <= count && 2 * rows > count, "{rows} of {count}");
        }
    }
}
