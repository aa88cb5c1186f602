//! Notifies other nodes of this node's commits (PostgreSQL's NOTIFY).

use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, Connection};
use tokio::time::sleep;

use super::PostgresEngine;
use super::pool::{PING_TIMEOUT, with_driver_timeout};
use crate::domain::{LogId, Seq};
use crate::store::StoreError;
use crate::store::engine::ACQUIRE_TIMEOUT;
use crate::store::engine::commit_signal::CommitSignal;

/// How long to wait after a notification failed.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Notifies other nodes of each commit of this node until the future is dropped. It runs after the
/// commit and apart from it: a failed notification must not keep a delivery from being recorded.
/// One notification may stand for several commits.
pub(in crate::store::engine) async fn notify_peers(engine: &PostgresEngine, log_id: &LogId, signal: &CommitSignal) {
    let Some(options) = &engine.notify_options else { return std::future::pending().await };
    let options = options.clone().application_name("bidarc notifier");
    let (mut connection, mut newest) = (None, Seq(0));
    loop {
        newest = signal.wait_for(newest, |heads| heads.own).await;
        let payload = format!("{log_id} {newest}");
        if let Err(error) = notify_with_reconnect(&mut connection, &options, &payload).await {
            tracing::warn!(%error, "other nodes could not be notified of a commit; they read the log every few seconds");
            sleep(RETRY_DELAY).await;
        }
    }
}

/// Notifies over the present connection, which may be dead unnoticed, or else over a new one. A
/// second notification of the same seq does no harm.
async fn notify_with_reconnect(
    connection: &mut Option<PgConnection>,
    options: &PgConnectOptions,
    payload: &str,
) -> Result<(), StoreError> {
    if let Some(mut present) = connection.take()
        && with_driver_timeout(PING_TIMEOUT, notify(&mut present, payload)).await.is_ok()
    {
        *connection = Some(present);
        return Ok(());
    }
    let reconnected = async {
        let mut new = PgConnection::connect_with(options).await?;
        notify(&mut new, payload).await?;
        Ok(new)
    };
    *connection = Some(with_driver_timeout(ACQUIRE_TIMEOUT, reconnected).await?);
    Ok(())
}

async fn notify(connection: &mut PgConnection, payload: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, $2)").bind(super::COMMIT_CHANNEL).bind(payload).execute(connection).await?;
    Ok(())
}
