//! Checks a server when a node starts: whether it is suitable, and whether it could lose
//! deliveries.

use chrono::TimeDelta;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, Connection, Executor, Row};
use tokio::time::timeout;

use super::pool::from_driver_error;
use super::{OTHER_CONNECTIONS, refusal};
use crate::clock::Time;
use crate::config::{self, WakeUp};
use crate::store::OpenError;
use crate::store::engine::ACQUIRE_TIMEOUT;

/// What to do where a pooler is in the way.
const POOLER_REMEDY: &str = "set database.wake_up = \"poll\" and configure the pooler as docs/OPERATIONS.md says, or use the server's \
     own URL";

/// How far a node's clock may be from the database's without a warning. State for which the vendor
/// sends no time is ordered by that clock.
const CLOCK_SKEW_TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// The properties that are checked.
#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) version_number: i32,
    pub(super) version: String,
    pub(super) encoding: String,
    pub(super) is_replica: bool,
    pub(super) is_durable: bool,
    pub(super) clock_micros: i64,
    pub(super) applies_session_settings: bool,
    pub(super) role: String,
    pub(super) database: String,
    pub(super) search_path: String,
    /// The schema for new tables: the first of the search path that the role may use.
    pub(super) schema: Option<String>,
    /// Whether the role may make tables in it.
    pub(super) may_create: bool,
    pub(super) has_tables: bool,
    /// A table of bidarc that the role may not read and write.
    pub(super) table_without_rights: Option<String>,
    /// Where `default_transaction_read_only` is turned on, if it is.
    pub(super) read_only_source: Option<String>,
    pub(super) is_superuser: bool,
    /// Connections of the role and of the database; -1 for no limit.
    pub(super) role_limit: i32,
    pub(super) database_limit: i32,
    /// Connections that the server does not reserve for others.
    pub(super) server_limit: i32,
    pub(super) max_connections: i32,
}

impl ServerState {
    /// The tables of bidarc are those that the owner of its table of migrations has beside it.
    const QUERY: &str = "\
        SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
        current_setting('server_encoding'), pg_is_in_recovery(), \
        current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on', \
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, current_setting('enable_seqscan') = 'off', \
        current_user::text, current_database()::text, current_setting('search_path'), current_schema()::text, \
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), to_regclass('seaql_migrations') IS NOT NULL, \
        (SELECT min(other.relname::text) FROM pg_class own JOIN pg_class other USING (relnamespace, relowner) \
         WHERE own.oid = to_regclass('seaql_migrations') AND other.relkind = 'r' AND NOT ( \
         has_table_privilege(other.oid, 'SELECT') AND has_table_privilege(other.oid, 'INSERT') AND \
         has_table_privilege(other.oid, 'UPDATE') AND has_table_privilege(other.oid, 'DELETE'))), \
        (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = 'on'), \
        rolsuper, rolconnlimit, (SELECT datconnlimit FROM pg_database WHERE datname = current_database()), \
        current_setting('max_connections')::int - CASE WHEN rolsuper THEN 0 ELSE \
        current_setting('superuser_reserved_connections')::int + \
        coalesce(current_setting('reserved_connections', true)::int, 0) END, current_setting('max_connections')::int \
        FROM pg_roles WHERE rolname = current_user";

    /// Connects without a pool, because a pool would hide the reason of a failure.
    async fn read(options: &PgConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect_with(options).await?;
        // A pooler of an old version would leave a prepared statement to its next client.
        let state = connection.fetch_one(sqlx::raw_sql(Self::QUERY)).await?;
        connection.close().await?;
        Ok(Self {
            version_number: state.try_get(0)?,
            version: state.try_get(1)?,
            encoding: state.try_get(2)?,
            is_replica: state.try_get(3)?,
            is_durable: state.try_get(4)?,
            clock_micros: state.try_get(5)?,
            applies_session_settings: state.try_get(6)?,
            role: state.try_get(7)?,
            database: state.try_get(8)?,
            search_path: state.try_get(9)?,
            schema: state.try_get(10)?,
            may_create: state.try_get(11)?,
            has_tables: state.try_get(12)?,
            table_without_rights: state.try_get(13)?,
            read_only_source: state.try_get(14)?,
            is_superuser: state.try_get(15)?,
            role_limit: state.try_get(16)?,
            database_limit: state.try_get(17)?,
            server_limit: state.try_get(18)?,
            max_connections: state.try_get(19)?,
        })
    }
}

/// Checks that the server is suitable, and warns of settings that could lose deliveries. The
/// options are those of the reserved reads, whose session settings a pooler may drop.
pub(super) async fn check_server(
    options: &PgConnectOptions,
    settings: &config::Database,
    now: Time,
) -> Result<(), OpenError> {
    let wake_up = settings.wake_up;
    let state =
        timeout(ACQUIRE_TIMEOUT * 4, ServerState::read(options)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let state = match state {
        Ok(state) => state,
        Err(sqlx::Error::Database(error))
            if wake_up == WakeUp::Notify && error.message().contains("startup parameter") =>
        {
            return Err(OpenError::Unsupported(format!(
                "its URL leads to a pooler that rejects session settings (\"{}\"): {POOLER_REMEDY}",
                error.message()
            )));
        }
        Err(error) => {
            return Err(match refusal::of_connection(&error, options) {
                Some(reason) => OpenError::Unsupported(reason),
                None => from_driver_error(error).into(),
            });
        }
    };
    // A pooler shares its connections, so that a node needs fewer at the server.
    let connections = (wake_up == WakeUp::Notify).then_some(settings.readers + OTHER_CONNECTIONS);
    if let Some(reason) = refusal::of_state(&state, connections, settings.readers) {
        return Err(OpenError::Unsupported(reason));
    }
    let lent = timeout(ACQUIRE_TIMEOUT, is_lent_for_a_transaction(options));
    if wake_up == WakeUp::Notify && matches!(lent.await, Ok(Ok(true))) {
        return Err(OpenError::Unsupported(format!(
            "its URL leads to a pooler that lends a connection for one transaction, where LISTEN does not work: \
             {POOLER_REMEDY}"
        )));
    }
    warn_of_risks(&state, wake_up, now);
    Ok(())
}

/// Whether a pooler gives two clients the same server process, or one client another process for
/// its next transaction. A pooler with many idle processes may escape this.
async fn is_lent_for_a_transaction(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    const PROCESS: &str = "SELECT pg_backend_pid()";
    let process = async |connection: &mut PgConnection| -> Result<i32, sqlx::Error> {
        connection.fetch_one(sqlx::raw_sql(PROCESS)).await?.try_get(0)
    };
    let mut one = PgConnection::connect_with(options).await?;
    let first = process(&mut one).await?;
    let mut other = PgConnection::connect_with(options).await?;
    let mut transaction = other.begin().await?;
    let lent = process(&mut transaction).await? == first || process(&mut one).await? != first;
    transaction.rollback().await?;
    other.close().await?;
    one.close().await?;
    Ok(lent)
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
    use std::net::SocketAddr;
    use std::str::FromStr;
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Mutex;
    use url::Url;

    use super::*;
    use crate::clock::Clock;
    use crate::store::test_support::PostgresCluster;

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
        let settings = |wake_up| config::Database { wake_up, ..config::Settings::defaults().unwrap().database };
        let error = check_server(&options, &settings(WakeUp::Notify), now).await.unwrap_err().to_string();
        assert!(error.contains("set database.wake_up = \"poll\"") && error.contains("statement_timeout"), "{error}");
        // In poll mode no session setting was sent, so the error is another one.
        let error = check_server(&options, &settings(WakeUp::Poll), now).await.unwrap_err().to_string();
        assert!(error.starts_with("the database is not available: "), "{error}");
    }

    /// Reads the body of one message of PostgreSQL's protocol, after its type.
    async fn read_message(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
        let kind = stream.read_u8().await.ok()?;
        let length = stream.read_u32().await.ok()?;
        let mut body = vec![0; length as usize - 4];
        stream.read_exact(&mut body).await.ok()?;
        Some((kind, body))
    }

    async fn write_message(stream: &mut TcpStream, (kind, body): &(u8, Vec<u8>)) {
        stream.write_u8(*kind).await.unwrap();
        stream.write_u32(u32::try_from(body.len()).unwrap() + 4).await.unwrap();
        stream.write_all(body).await.unwrap();
    }

    /// A pooler in transaction mode with one connection to a server, as PgBouncer lends it. It
    /// knows simple queries only, which are all that the check sends.
    async fn transaction_pooler(server: SocketAddr, startup: Vec<u8>) -> SocketAddr {
        let mut connection = TcpStream::connect(server).await.unwrap();
        connection.write_all(&startup).await.unwrap();
        let mut greeting = Vec::new();
        while greeting.last().is_none_or(|(kind, _)| *kind != b'Z') {
            greeting.push(read_message(&mut connection).await.unwrap());
        }
        let connection = Arc::new(Mutex::new(connection));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (connection, greeting) = (Arc::clone(&connection), greeting.clone());
                tokio::spawn(async move {
                    let length = client.read_u32().await.unwrap();
                    client.read_exact(&mut vec![0; length as usize - 4]).await.unwrap();
                    for message in &greeting {
                        write_message(&mut client, message).await;
                    }
                    let mut lent = None;
                    while let Some(query) = read_message(&mut client).await.filter(|(kind, _)| *kind == b'Q') {
                        let mut server = match lent.take() {
                            Some(server) => server,
                            None => Arc::clone(&connection).lock_owned().await,
                        };
                        write_message(&mut server, &query).await;
                        let status = loop {
                            let answer = read_message(&mut server).await.unwrap();
                            write_message(&mut client, &answer).await;
                            if answer.0 == b'Z' {
                                break answer.1[0];
                            }
                        };
                        lent = (status != b'I').then_some(server);
                    }
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn pooler_that_lends_for_a_transaction_is_refused_with_the_setting() {
        let cluster = PostgresCluster::start();
        let server = Url::parse(cluster.url()).unwrap();
        let server: SocketAddr = format!("127.0.0.1:{}", server.port().unwrap()).parse().unwrap();
        // Protocol 3.0, and the names of the role and the database.
        let startup = b"\0\0\0\x27\0\x03\0\0user\0bidarc\0database\0postgres\0\0";
        let pooler = transaction_pooler(server, startup.to_vec()).await;
        let settings = config::Settings::defaults().unwrap().database;
        let check = async |address: SocketAddr| {
            let url = format!("postgres://bidarc@{address}/postgres?sslmode=disable");
            check_server(&PgConnectOptions::from_str(&url).unwrap(), &settings, Clock::system().now()).await
        };
        check(server).await.unwrap();
        let error = check(pooler).await.unwrap_err().to_string();
        assert!(error.contains("for one transaction") && error.contains("wake_up = \"poll\""), "{error}");
    }
}
