//! Checks a server when a node starts: whether it is suitable, and whether it could lose
//! deliveries.

use chrono::TimeDelta;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, Connection, Row};
use tokio::time::timeout;

use super::pool::from_driver_error;
use crate::clock::Time;
use crate::config::WakeUp;
use crate::store::OpenError;
use crate::store::engine::ACQUIRE_TIMEOUT;

/// The oldest version that is tested, in the server's numbering.
const SERVER_VERSION_MIN: i32 = 150_000;

/// How far a node's clock may be from the database's without a warning. State for which the vendor
/// sends no time is ordered by that clock.
const CLOCK_SKEW_TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// The properties that are checked.
struct ServerState {
    version_number: i32,
    version: String,
    encoding: String,
    is_replica: bool,
    is_durable: bool,
    clock_micros: i64,
    applies_session_settings: bool,
}

impl ServerState {
    const QUERY: &str = "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
                         current_setting('server_encoding'), pg_is_in_recovery(), \
                         current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on', \
                         (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, current_setting('enable_seqscan') = 'off'";

    /// Connects without a pool, because a pool would hide the reason of a failure.
    async fn read(options: &PgConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect_with(options).await?;
        let state = sqlx::query(Self::QUERY).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(Self {
            version_number: state.try_get(0)?,
            version: state.try_get(1)?,
            encoding: state.try_get(2)?,
            is_replica: state.try_get(3)?,
            is_durable: state.try_get(4)?,
            clock_micros: state.try_get(5)?,
            applies_session_settings: state.try_get(6)?,
        })
    }
}

/// Checks that the server is suitable, and warns of settings that could lose deliveries. The
/// options are those of the reserved reads, whose session settings a pooler may drop.
pub(super) async fn check_server(options: &PgConnectOptions, wake_up: WakeUp, now: Time) -> Result<(), OpenError> {
    let state =
        timeout(ACQUIRE_TIMEOUT * 4, ServerState::read(options)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let state = match state {
        Ok(state) => state,
        Err(sqlx::Error::Database(error))
            if wake_up == WakeUp::Notify && error.message().contains("startup parameter") =>
        {
            return Err(OpenError::Unsupported(format!(
                "its URL leads to a pooler that rejects session settings (\"{}\"): set database.wake_up = \"poll\" and configure the \
                 pooler as docs/OPERATIONS.md says, or use the server's own URL",
                error.message()
            )));
        }
        Err(error) => return Err(from_driver_error(error).into()),
    };
    let reason = if state.version_number < SERVER_VERSION_MIN {
        format!("PostgreSQL 15 or later is required, but the server is {}: upgrade the server", state.version)
    } else if state.encoding != "UTF8" {
        format!(
            "the database's encoding must be UTF8, but it is {}: create a database with ENCODING 'UTF8'",
            state.encoding
        )
    } else if state.is_replica {
        "the server is a read-only replica: use the URL of the primary".to_owned()
    } else {
        warn_of_risks(&state, wake_up, now);
        return Ok(());
    };
    Err(OpenError::Unsupported(reason))
}

fn warn_of_risks(state: &ServerState, wake_up: WakeUp, now: Time) {
    if !state.is_durable {
        tracing::warn!(
            "fsync or full_page_writes is off on the PostgreSQL server: deliveries that were answered 200 may be lost if its machine \
             fails; turn both on"
        );
    }
    if wake_up == WakeUp::Notify && !state.applies_session_settings {
        tracing::warn!(
            "a pooler drops session settings: abandoned queries keep running, and in a new database lookups of deliveries are slow; use \
             the server's own URL, or set database.wake_up = \"poll\""
        );
    }
    let ahead = TimeDelta::microseconds(now.timestamp_micros().saturating_sub(state.clock_micros));
    if ahead.abs() > CLOCK_SKEW_TOLERANCE {
        tracing::warn!(
            milliseconds = ahead.num_milliseconds(),
            "this machine's clock is ahead of the database's (behind, if negative): nodes use their clocks to order state for which the \
             vendor sends no time; synchronise the clocks (NTP)"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::clock::Clock;

    /// The answer of PgBouncer 1.25.2 to a startup message with unknown options, byte for byte.
    const POOLER_REFUSAL: &[u8] = b"SFATAL\0C08P01\0Munsupported startup parameter in options: statement_timeout\0\0";

    #[tokio::test]
    async fn pooler_that_rejects_settings_is_refused_with_the_setting() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://bidarc@{}/bidarc?sslmode=disable", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let length = stream.read_u32().await.unwrap();
                let mut startup = vec![0; length as usize - 4];
                stream.read_exact(&mut startup).await.unwrap();
                stream.write_u8(b'E').await.unwrap();
                stream.write_u32(u32::try_from(POOLER_REFUSAL.len()).unwrap() + 4).await.unwrap();
                stream.write_all(POOLER_REFUSAL).await.unwrap();
            }
        });
        let options = PgConnectOptions::from_str(&url).unwrap();
        let now = Clock::system().now();
        let error = check_server(&options, WakeUp::Notify, now).await.unwrap_err().to_string();
        assert!(error.contains("set database.wake_up = \"poll\"") && error.contains("statement_timeout"), "{error}");
        // In poll mode no session setting was sent, so the error is another one.
        let error = check_server(&options, WakeUp::Poll, now).await.unwrap_err().to_string();
        assert!(error.starts_with("the database is not available: "), "{error}");
    }
}
