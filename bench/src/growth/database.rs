//! A database that grows: its URL, and its bytes on disk.

use std::path::PathBuf;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{Failure, server};

/// A database of either kind.
pub(super) enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(String),
}

impl Database {
    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => server::sqlite(file),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Another, empty database of the same server.
    pub(super) async fn create_beside(&self, name: &str) -> Result<Self, Failure> {
        let Self::Postgres(url) = self else { return Err("only a server has several databases".into()) };
        let database = sea_orm::Database::connect(url).await?;
        database.execute_unprepared(&format!("CREATE DATABASE \"{name}\"")).await?;
        database.close().await?;
        let (server, rest) = url.rsplit_once('/').ok_or("the URL names no database")?;
        let parameters = rest.split_once('?').map_or(String::new(), |(_, parameters)| format!("?{parameters}"));
        Ok(Self::Postgres(format!("{server}/{name}{parameters}")))
    }

    /// Its bytes on disk.
    pub(super) async fn bytes(&self) -> Result<u64, Failure> {
        match self {
            Self::Sqlite(file) => Ok(std::fs::metadata(file)?.len()),
            Self::Postgres(url) => {
                let database = sea_orm::Database::connect(url).await?;
                let size = "SELECT pg_database_size(current_database())";
                let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, size)).await?;
                let bytes: i64 = row.ok_or("the size of the database is unknown")?.try_get_by_index(0)?;
                database.close().await?;
                Ok(bytes.try_into()?)
            }
        }
    }

    /// Deletes a file, and what SQLite keeps beside it.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        if let Self::Sqlite(file) = self {
            std::fs::remove_file(file)?;
            for companion in ["-wal", "-shm", "-lock"] {
                let mut path = file.clone().into_os_string();
                path.push(companion);
                // Not each of them is there.
                let _ = std::fs::remove_file(path);
            }
        }
        Ok(())
    }
}
