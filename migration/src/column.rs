//! Column definitions for each kind of database.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Builds column definitions for one kind of database.
#[derive(Clone, Copy)]
pub(crate) struct Columns(DbBackend);

impl Columns {
    pub(crate) fn of(manager: &SchemaManager<'_>) -> Self {
        Self(manager.get_database_backend())
    }

    /// A number that is the table's primary key. On SQLite only a column of the type INTEGER is an
    /// alias of the rowid; it holds 64 bits too.
    pub(crate) fn key(self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        if self.0 == DbBackend::Sqlite {
            column.integer();
        } else {
            column.big_integer();
        }
        column.not_null().primary_key().take()
    }

    /// A text. PostgreSQL orders texts by the language of the database, except with the collation
    /// "C", which orders them by their bytes, as SQLite does. A list must have the same order on
    /// both, and an index must not depend on a locale library.
    pub(crate) fn text(self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.text();
        if self.0 == DbBackend::Postgres {
            column.extra(r#"COLLATE "C""#);
        }
        column
    }
}
