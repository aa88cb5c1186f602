//! Whether a server is fit for the service, seen when a node starts.

use chrono::TimeDelta;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, Connection, Row};
use tokio::time::timeout;

use super::pool::from_driver_error;
use crate::clock::Time;
use crate::config::WakeUp;
use crate::store::OpenError;
use crate::store::engine::ACQUIRE_TIMEOUT;

/// The oldest version that the service is tested with, as the server numbers it.
const SERVER_VERSION_MIN: i32 = 150_000;

/// How far a node's clock may be from the database's before it is said. What vendors send without a time is ordered by it.
const CLOCK_SKEW_TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// What of it counts.
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

    /// The first connection is made without a pool, which would hide why it cannot be made.
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

/// Looks whether the server is fit, and says what weakens its promise. The options are those of a connection that looks rows up by their
/// keys.
pub(super) async fn check_server(options: &PgConnectOptions, wake_up: WakeUp, now: Time) -> Result<(), OpenError> {
    let state =
        timeout(ACQUIRE_TIMEOUT * 4, ServerState::read(options)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let state = match state {
        Ok(state) => state,
        Err(sqlx::Error::Database(said))
            if wake_up == WakeUp::Notify && said.message().contains("startup parameter") =>
        {
            return Err(OpenError::Unsupported(format!(
                "what answers at its URL is a pooler that takes no settings of sessions (\"{}\"): set database.wake_up = \"poll\", and see \
                 docs/OPERATIONS.md for what the pooler must know; or give the server's own URL",
                said.message()
            )));
        }
        Err(error) => return Err(from_driver_error(error).into()),
    };
    let unfit = if state.version_number < SERVER_VERSION_MIN {
        format!("PostgreSQL 15 or later is needed, the server is {}", state.version)
    } else if state.encoding != "UTF8" {
        format!("the database's encoding must be UTF8, it is {}", state.encoding)
    } else if state.is_replica {
        "the server is a replica, which cannot be written to: name the primary".to_owned()
    } else {
        warn_of_risks(&state, wake_up, now);
        return Ok(());
    };
    Err(OpenError::Unsupported(unfit))
}

fn warn_of_risks(state: &ServerState, wake_up: WakeUp, now: Time) {
    if !state.is_durable {
        tracing::warn!(
            "fsync or full_page_writes is off on the PostgreSQL server: deliveries that were answered 200 may be lost when its machine \
             fails"
        );
    }
    if wake_up == WakeUp::Notify && !state.applies_session_settings {
        tracing::warn!(
            "a pooler drops the settings of sessions: queries that nobody waits for go on, and in a new database deliveries are slow to be \
             looked up; give the server's own URL, or set database.wake_up = \"poll\""
        );
    }
    let ahead = TimeDelta::microseconds(now.timestamp_micros().saturating_sub(state.clock_micros));
    if ahead.abs() > CLOCK_SKEW_TOLERANCE {
        tracing::warn!(
            milliseconds = ahead.num_milliseconds(),
            "this machine's clock is ahead of the database's by so much: with several nodes, state that the vendor gives no time for is \
             ordered by their clocks; synchronise them (NTP)"
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

    /// What PgBouncer 1.25.2 answers to a startup message with options that it does not know, byte for byte.
    const POOLER_REFUSAL: &[u8] = b"SFATAL\0C08P01\0Munsupported startup parameter in options: statement_timeout\0\0";

    #[tokio::test]
    async fn who_has_a_pooler_in_between_is_told_what_to_set() {
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
        let told = check_server(&options, WakeUp::Notify, now).await.unwrap_err().to_string();
        assert!(told.contains("set database.wake_up = \"poll\"") && told.contains("statement_timeout"), "{told}");
        // Where that is set already it is something else.
        let told = check_server(&options, WakeUp::Poll, now).await.unwrap_err().to_string();
        assert!(told.starts_with("the database is not available: "), "{told}");
    }
}
