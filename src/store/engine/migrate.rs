//! Migrations. The first node to start runs them, under the write lock and in one transaction.

use std::time::Duration;

use migration::{Migrator, MigratorTrait, State, state};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use tokio::time::timeout;

use super::deadline::STATEMENT_TIMEOUT;
use super::{Engine, postgres};
use crate::clock::Time;
use crate::domain::LogId;
use crate::store::sql::convert;
use crate::store::{OpenError, Reader, StoreError};

/// How long to wait before the write lock is requested again.
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Runs the missing migrations and returns the log's id, which a new database gets here, and
/// whether the database is new.
///
/// # Errors
///
/// [`OpenError::NotThere`] if the database is new and `may_create` is false.
pub(in crate::store) async fn migrate_to_current(
    engine: &Engine,
    now: Time,
    may_create: bool,
) -> Result<(LogId, bool), OpenError> {
    migrate(engine, now, may_create).await.map_err(|error| {
        let OpenError::Store(store_error) = &error else { return error };
        let refusal =
            store_error.server_answer().and_then(|(code, message)| postgres::refusal::of_migration(code, message));
        refusal.map_or(error, OpenError::Unsupported)
    })
}

async fn migrate(engine: &Engine, now: Time, may_create: bool) -> Result<(LogId, bool), OpenError> {
    let state = read_state(engine.connections().reserved.inner()).await?;
    // A current database needs no lock: a node may start during another node's long transaction.
    if state == State::Current
        && let Some(id) = log_id(engine.connections().reserved.inner()).await?
    {
        return Ok((id, false));
    }
    if state == State::New && !may_create {
        return Err(OpenError::NotThere("the database has no tables of bidarc".to_owned()));
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

async fn run_migrations(engine: &Engine, now: Time) -> Result<(LogId, bool), OpenError> {
    let tx = engine.begin().await?.without_deadline();
    let state = read_state(tx.inner()).await?;
    if state != State::Current {
        if state == State::Behind {
            tracing::info!("bringing the database's tables up to date; with millions of events this takes minutes");
        }
        Migrator::up(tx.inner(), None).await?;
        // One line sums up all steps.
        let done = if state == State::New {
            "made the tables of a new database"
        } else {
            "brought the database's tables up to date"
        };
        tracing::info!("{done}");
    }
    let id = match log_id(&tx).await? {
        Some(id) => id,
        None => create_log_id(&tx, now).await?,
    };
    tx.commit().await?;
    Ok((id, state == State::New))
}

/// Checks that the database has exactly the tables of this version.
pub(in crate::store) async fn check(db: &Reader) -> Result<(), OpenError> {
    let state = timeout(STATEMENT_TIMEOUT, read_state(db.inner())).await;
    if state.unwrap_or_else(|_| Err(StoreError::timed_out().into()))? == State::Current {
        return Ok(());
    }
    Err(OpenError::Unsupported("tables are missing that it had when it was opened; was it replaced?".to_owned()))
}

/// Compares the database with this version.
async fn read_state<'c, C>(db: &'c C) -> Result<State, OpenError>
where
    C: ConnectionTrait,
    &'c C: migration::IntoSchemaManagerConnection<'c>,
{
    match state(db).await? {
        State::Ahead { step } => Err(OpenError::SchemaTooNew { step }),
        state @ (State::Current | State::New | State::Behind) => Ok(state),
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
