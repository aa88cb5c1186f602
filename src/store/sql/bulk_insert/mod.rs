//! Inserts of rows of several tables at once. The cost of a group of deliveries is its round trips
//! to the database, and on PostgreSQL other nodes wait for the write lock meanwhile.

use std::mem::take;

use sea_orm::{ConnectionTrait, EntityName, EntityTrait, IdenStatic, Iterable, ModelTrait, PrimaryKeyToColumn, Value};

use crate::store::StoreError;
use crate::store::engine::dialect::Dialect;

mod postgres;
mod sqlite;

/// Rows to write. No statement sees them before [`BulkInsert::write`].
#[derive(Debug, Default)]
pub struct BulkInsert(Vec<TableRows>);

/// Rows of one table.
#[derive(Debug)]
struct TableRows {
    table: &'static str,
    columns: Vec<&'static str>,
    key: Vec<&'static str>,
    /// Whether a row replaces the stored one with the same key.
    upsert: bool,
    /// The values of the columns, for each row.
    rows: Vec<Vec<Value>>,
}

impl BulkInsert {
    /// Adds a row whose key is not in the table.
    pub(in crate::store) fn insert<M: ModelTrait>(&mut self, row: &M) {
        self.add(row, false);
    }

    /// Adds a row that replaces the stored one with the same key. No other row of this batch may
    /// have that key.
    pub(in crate::store) fn upsert<M: ModelTrait>(&mut self, row: &M) {
        self.add(row, true);
    }

    fn add<M: ModelTrait>(&mut self, row: &M, upsert: bool) {
        let table = M::Entity::default().table_name();
        let columns = <M::Entity as EntityTrait>::Column::iter;
        let values = columns().map(|column| row.get(column)).collect();
        match self.0.iter_mut().find(|rows| rows.table == table && rows.upsert == upsert) {
            Some(rows) => rows.rows.push(values),
            None => {
                let key = <M::Entity as EntityTrait>::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
                self.0.push(TableRows {
                    table,
                    columns: columns().map(|column| column.as_str()).collect(),
                    key: key.map(|column| column.as_str()).collect(),
                    upsert,
                    rows: vec![values],
                });
            }
        }
    }

    /// Writes all rows.
    pub async fn write<C: ConnectionTrait>(&mut self, db: &C) -> Result<(), StoreError> {
        let mut tables = take(&mut self.0);
        // A fixed order of tables keeps the number of different statements small.
        tables.sort_unstable_by_key(|rows| rows.table);
        match Dialect::of(db.get_database_backend()) {
            Dialect::Postgres => postgres::write(db, &tables).await,
            Dialect::Sqlite => sqlite::write(db, tables).await,
        }
    }
}

impl TableRows {
    /// The columns that are not part of the key.
    fn non_key_columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().copied().filter(|column| !self.key.contains(column))
    }
}
