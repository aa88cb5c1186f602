//! Rows of several tables that are written together: what a group of deliveries costs is its round trips to the database, and on
//! PostgreSQL other nodes wait for the write lock meanwhile.

use std::mem::take;

use sea_orm::{ConnectionTrait, EntityName, EntityTrait, IdenStatic, Iterable, ModelTrait, PrimaryKeyToColumn, Value};

use crate::store::StoreError;
use crate::store::engine::dialect::Dialect;

mod postgres;
mod sqlite;

/// Rows to be written. Until then no statement sees them.
#[derive(Debug, Default)]
pub struct BulkInsert(Vec<TableRows>);

/// Rows of one table.
#[derive(Debug)]
struct TableRows {
    table: &'static str,
    columns: Vec<&'static str>,
    key: Vec<&'static str>,
    /// Whether one whose key is there takes the place of what is there.
    upsert: bool,
    /// Of each row the values of these columns.
    rows: Vec<Vec<Value>>,
}

impl BulkInsert {
    /// Adds a row, whose key must not be there.
    pub(in crate::store) fn insert<M: ModelTrait>(&mut self, row: &M) {
        self.add(row, false);
    }

    /// Adds a row; it takes the place of one that has its key. No other of this batch may have it.
    pub(in crate::store) fn upsert<M: ModelTrait>(&mut self, row: &M) {
        self.add(row, true);
    }

    fn add<M: ModelTrait>(&mut self, row: &M, replace: bool) {
        let table = M::Entity::default().table_name();
        let columns = <M::Entity as EntityTrait>::Column::iter;
        let values = columns().map(|column| row.get(column)).collect();
        match self.0.iter_mut().find(|rows| rows.table == table && rows.upsert == replace) {
            Some(rows) => rows.rows.push(values),
            None => {
                let key = <M::Entity as EntityTrait>::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
                self.0.push(TableRows {
                    table,
                    columns: columns().map(|column| column.as_str()).collect(),
                    key: key.map(|column| column.as_str()).collect(),
                    upsert: replace,
                    rows: vec![values],
                });
            }
        }
    }

    /// Writes all rows.
    ///
    /// # Errors
    ///
    /// Where the database refuses one or is not available.
    pub async fn write<C: ConnectionTrait>(&mut self, db: &C) -> Result<(), StoreError> {
        let mut tables = take(&mut self.0);
        // One order, whichever came first, so that there are few different statements.
        tables.sort_unstable_by_key(|rows| rows.table);
        match Dialect::of(db.get_database_backend()) {
            Dialect::Postgres => postgres::write(db, &tables).await,
            Dialect::Sqlite => sqlite::write(db, tables).await,
        }
    }
}

impl TableRows {
    /// The columns that are no part of the key.
    fn non_key_columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().copied().filter(|column| !self.key.contains(column))
    }
}
