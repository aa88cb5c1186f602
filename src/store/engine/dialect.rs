//! The SQL dialect, for statements that the libraries cannot build for both databases.

use sea_orm::DbBackend;

/// A database's SQL dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The dialect of a connection's database.
    pub(in crate::store) fn of(database: DbBackend) -> Self {
        if database == DbBackend::Postgres { Self::Postgres } else { Self::Sqlite }
    }
}
