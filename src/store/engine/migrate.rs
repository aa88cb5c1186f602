//! Migrations. The first node to start runs them, under the write lock and in one transaction.

use std::time::Duration;

use migration::{Migrator, MigratorTrait, State, state};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use tokio::time::timeout;

use super::Engine;
use super::deadline::STATEMENT_TIMEOUT;
use crate::clock::Time;
use crate::domain::LogId;
use crate::store::sql::convert;
use crate::store::{OpenError, Reader, StoreError};

/// How long to wait before the write lock is requested again.
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Runs the missing migrations and returns the log's id, which a new database gets here.
pub(in crate::store) async fn migrate_to_current(engine: &Engine, now: Time) -> Result<LogId, OpenError> {
    // A current database needs no lock: a node may start during another node's long transaction.
    if is_current(engine.connections().reserved.inner()).await?
        && let Some(id) = log_id(engine.connections().reserved.inner()).await?
    {
        return Ok(id);
    }
    let mut is_waiting = false;
    loop {
        match run_migrations(engine, now).await {
            Err(OpenError::Store(error)) if error.is_lock_timeout() => {
                if !is_waiting {
                    tracing::info!(
                        "another process writes, migrates the database, or reads a table that must be migrated: waiting for it to end"
                    );
                }
                is_waiting = true;
                tokio::time::sleep(LOCK_RETRY_DELAY).await;
            }
            result => return result,
        }
    }
}

async fn run_migrations(engine: &Engine, now: Time) -> Result<LogId, OpenError> {
    let tx = engine.begin().await?.without_deadline();
    if !is_current(tx.inner()).await? {
        Migrator::up(tx.inner(), None).await?;
        tracing::info!("brought the database's tables up to date");
    }
    let id = match log_id(&tx).await? {
        Some(id) => id,
        None => create_log_id(&tx, now).await?,
    };
    tx.commit().await?;
    Ok(id)
}

/// Checks that the database has exactly the tables of this version.
pub(in crate::store) async fn check(db: &Reader) -> Result<(), OpenError> {
    let current = timeout(STATEMENT_TIMEOUT, is_current(db.inner())).await;
    if current.unwrap_or_else(|_| Err(StoreError::timed_out().into()))? {
        return Ok(());
    }
    Err(OpenError::Unsupported("tables are missing that it had when it was opened; was it replaced?".to_owned()))
}

/// Whether no migration is missing.
async fn is_current<'c, C>(db: &'c C) -> Result<bool, OpenError>
where
    C: ConnectionTrait,
    &'c C: migration::IntoSchemaManagerConnection<'c>,
{
    match state(db).await? {
        State::Current => Ok(true),
        State::Behind => Ok(false),
        State::Ahead { step } => Err(OpenError::SchemaTooNew { step }),
    }
}

async fn log_id<C: ConnectionTrait>(db: &C) -> Result<Option<LogId>, StoreError> {
    Ok(entity::log::Entity::find().one(db).await?.map(|row| LogId(row.id.into())))
}

async fn create_log_id<C: ConnectionTrait>(db: &C, now: Time) -> Result<LogId, StoreError> {
    let id = hex::encode(rand::random::<[u8; 8]>());
    let row = entity::log::ActiveModel { id: Set(id.clone()), created_at: Set(convert::to_micros(now)) };
    entity::log::Entity::insert(row).exec_without_returning(db).await?;
    Ok(LogId(id.into()))
}
