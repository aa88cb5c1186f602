//! Which database's words a statement is in, where the libraries do not know.

use sea_orm::DbBackend;

/// A database's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// That of a connection.
    pub(in crate::store) fn of(database: DbBackend) -> Self {
        if database == DbBackend::Postgres { Self::Postgres } else { Self::Sqlite }
    }
}
