//! Columns as each database has them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Makes the columns of tables for one kind of database.
#[derive(Clone, Copy)]
pub(crate) struct Columns(DbBackend);

impl Columns {
    pub(crate) fn of(manager: &SchemaManager<'_>) -> Self {
        Self(manager.get_database_backend())
    }

    /// A number of our own that is the table's key. On SQLite only a column of the type INTEGER is the table's own key; there it
    /// holds 64 bits as well.
    pub(crate) fn key(self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        if self.0 == DbBackend::Sqlite {
            column.integer();
        } else {
            column.big_integer();
        }
        column.not_null().primary_key().take()
    }

    /// A text. PostgreSQL orders texts by the language that its database was made for, unless told to go by their bytes, as SQLite
    /// does: a list must have one order on both, and an index must not depend on the library that knows the languages.
    pub(crate) fn text(self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.text();
        if self.0 == DbBackend::Postgres {
            column.extra(r#"COLLATE "C""#);
        }
        column
    }
}
