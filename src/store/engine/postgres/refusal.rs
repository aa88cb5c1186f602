//! Why a server is not suitable, with the statement that changes it.

use sea_orm::sqlx;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgDatabaseError};

use super::preflight::ServerState;

/// The oldest version that is tested, in the server's numbering.
const SERVER_VERSION_MIN: i32 = 150_000;

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Why the server refused a connection, if an operator can change that.
pub(super) fn of_connection(error: &sqlx::Error, options: &PgConnectOptions) -> Option<String> {
    let role = quoted(options.get_username());
    let database = quoted(options.get_database().unwrap_or(options.get_username()));
    if let sqlx::Error::Tls(error) = error {
        return Some(format!(
            "the URL asks for TLS (sslmode), and the connection cannot have it ({error}): turn it on at the server with ALTER \
             SYSTEM SET ssl = on, or set sslmode=prefer in the URL"
        ));
    }
    let sqlx::Error::Database(error) = error else { return None };
    let error = error.try_downcast_ref::<PgDatabaseError>()?;
    let message = error.message();
    let remedy = match error.code() {
        "3D000" => format!("CREATE DATABASE {database} OWNER {role} ENCODING 'UTF8' TEMPLATE template0"),
        "28P01" => format!("check the password in the URL, or set it: ALTER ROLE {role} LOGIN PASSWORD '…'"),
        "28000" if message.contains("not permitted to log in") => format!("ALTER ROLE {role} LOGIN"),
        "28000" if message.contains("does not exist") => format!("CREATE ROLE {role} LOGIN PASSWORD '…'"),
        "28000" if message.contains("pg_hba.conf") && message.contains("no encryption") => format!(
            "the server may accept this role over TLS only, so set sslmode=require in the URL; or let it in without: add \
             the line host {database} {role} <address> scram-sha-256 to pg_hba.conf, then SELECT pg_reload_conf()"
        ),
        "28000" if message.contains("pg_hba.conf") => format!(
            "add the line host {database} {role} <address> scram-sha-256 to pg_hba.conf, then SELECT pg_reload_conf()"
        ),
        "42501" => format!("GRANT CONNECT ON DATABASE {database} TO {role}"),
        "55000" => format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"),
        "53300" if message.contains("for role") => format!("ALTER ROLE {role} CONNECTION LIMIT -1"),
        "53300" if message.contains("for database") => format!("ALTER DATABASE {database} CONNECTION LIMIT -1"),
        "53300" => "end connections that are not needed, or ALTER SYSTEM SET max_connections = <more> and restart the \
                    server"
            .to_owned(),
        _ => return None,
    };
    Some(format!("the server refuses the connection ({message}): {remedy}"))
}

/// Why the database cannot be brought to this version, by the server's code and message, if an
/// operator can change that.
pub(in crate::store::engine) fn of_migration(code: &str, message: &str) -> Option<String> {
    Some(match code {
        "42501" => format!(
            "its tables cannot be made or changed, because the role lacks a right ({message}): as the owner of the schema and \
             of the tables, GRANT CREATE ON SCHEMA public TO <role> and ALTER TABLE <table> OWNER TO <role>; or make bidarc's \
             role a member of the owner: GRANT <owner> TO <role>"
        ),
        // The statement that one client prepared is another client's, or is gone.
        "42P05" | "26000" => format!(
            "its URL leads to a pooler that does not keep prepared statements apart ({message}): use PgBouncer 1.21 or later \
             with max_prepared_statements above 0, or the server's own URL"
        ),
        _ if message.contains("statement pooling") => {
            "its URL leads to a pooler that lends a connection for one statement: set its pool_mode to transaction and \
             database.wake_up to \"poll\", or use the server's own URL"
                .to_owned()
        }
        _ => return None,
    })
}

/// Why the server, the database or the role is not suitable. `connections` is how many connections
/// a node needs; none if a pooler shares them.
pub(super) fn of_state(state: &ServerState, connections: Option<u32>, readers: u32) -> Option<String> {
    let (role, database) = (quoted(&state.role), quoted(&state.database));
    if state.version_number < SERVER_VERSION_MIN {
        return Some(format!(
            "PostgreSQL 15 or later is required, but the server is {}: upgrade the server",
            state.version
        ));
    }
    if state.encoding != "UTF8" {
        return Some(format!(
            "the database's encoding must be UTF8, but it is {}: make another one with CREATE DATABASE <name> OWNER {role} \
             ENCODING 'UTF8' TEMPLATE template0",
            state.encoding
        ));
    }
    if state.is_replica {
        return Some(
            "the server is a read-only replica (pg_is_in_recovery): use the URL of the primary, or make this server one with \
             SELECT pg_promote()"
                .to_owned(),
        );
    }
    if let Some(source) = &state.read_only_source {
        let remedy = match &**source {
            "user" => format!("ALTER ROLE {role} RESET default_transaction_read_only"),
            "database" => format!("ALTER DATABASE {database} RESET default_transaction_read_only"),
            "database user" => format!("ALTER ROLE {role} IN DATABASE {database} RESET default_transaction_read_only"),
            "client" => "remove it from the URL's options".to_owned(),
            _ => format!(
                "ALTER SYSTEM SET default_transaction_read_only = off and SELECT pg_reload_conf(), or for bidarc alone ALTER ROLE \
                 {role} SET default_transaction_read_only = off"
            ),
        };
        return Some(format!("transactions are read-only by default (default_transaction_read_only is on): {remedy}"));
    }
    let Some(schema) = &state.schema else {
        return Some(format!(
            "the role {role} may use no schema of its search_path ({}): as the owner of the schema, GRANT USAGE, CREATE ON \
             SCHEMA public TO {role}",
            state.search_path
        ));
    };
    let schema = quoted(schema);
    if !state.has_tables && !state.may_create {
        return Some(format!(
            "the role {role} may make no tables in the schema {schema}: as the owner of the database, GRANT CREATE ON SCHEMA \
             {schema} TO {role}"
        ));
    }
    if let Some(table) = &state.table_without_rights {
        return Some(format!(
            "the role {role} may not read and write the table {}: as the owner of the tables, GRANT SELECT, INSERT, UPDATE, \
             DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
            quoted(table)
        ));
    }
    of_connection_limit(state, connections?, readers, &role, &database)
}

fn of_connection_limit(state: &ServerState, needed: u32, readers: u32, role: &str, database: &str) -> Option<String> {
    let too_low = |limit: i32| u32::try_from(limit).ok().filter(|limit| *limit < needed);
    let role_limit = too_low(state.role_limit).filter(|_| !state.is_superuser);
    let database_limit = too_low(state.database_limit).filter(|_| !state.is_superuser);
    let (limit, what, remedy) = if let Some(limit) = role_limit {
        (limit, format!("the role {role}"), format!("ALTER ROLE {role} CONNECTION LIMIT {needed}"))
    } else if let Some(limit) = database_limit {
        (limit, format!("the database {database}"), format!("ALTER DATABASE {database} CONNECTION LIMIT {needed}"))
    } else {
        let limit = too_low(state.server_limit.max(0))?;
        let remedy = format!(
            "ALTER SYSTEM SET max_connections = {} and restart the server",
            i64::from(state.max_connections) + i64::from(needed - limit)
        );
        (limit, "the server".to_owned(), remedy)
    };
    let other = needed - readers;
    let fewer =
        if limit > other { format!(", or set database.readers to {} at most", limit - other) } else { String::new() };
    Some(format!(
        "{what} allows {limit} connections, and a node needs {needed} (database.readers and {other} more): {remedy}{fewer}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suitable() -> ServerState {
        ServerState {
            version_number: 150_004,
            version: "15.4".to_owned(),
            encoding: "UTF8".to_owned(),
            is_replica: false,
            is_durable: true,
            clock_micros: 0,
            applies_session_settings: true,
            role: "bi\"d".to_owned(),
            database: "office".to_owned(),
            search_path: "public".to_owned(),
            schema: Some("public".to_owned()),
            may_create: true,
            has_tables: false,
            table_without_rights: None,
            read_only_source: None,
            is_superuser: false,
            role_limit: -1,
            database_limit: -1,
            server_limit: 97,
            max_connections: 100,
        }
    }

    /// The integration tests have no server of an older version, and cannot let one run out of
    /// connections for all its roles.
    #[test]
    fn refusal_of_an_old_or_small_server_names_the_remedy() {
        assert_eq!(of_state(&suitable(), Some(13), 4), None);
        let old = ServerState { version_number: 140_011, version: "14.11".to_owned(), ..suitable() };
        let refusal = of_state(&old, Some(13), 4).unwrap();
        assert!(refusal.contains("PostgreSQL 15 or later") && refusal.contains("14.11"), "{refusal}");
        let small = ServerState { server_limit: 12, max_connections: 15, ..suitable() };
        let refusal = of_state(&small, Some(13), 4).unwrap();
        assert!(refusal.contains("max_connections = 16") && refusal.contains("database.readers to 3"), "{refusal}");
        assert_eq!(of_state(&small, None, 4), None, "a pooler shares connections");
        let role = ServerState { role_limit: 5, ..suitable() };
        let refusal = of_state(&role, Some(13), 4).unwrap();
        assert!(
            refusal.contains("ALTER ROLE \"bi\"\"d\" CONNECTION LIMIT 13") && !refusal.contains("readers to"),
            "{refusal}"
        );
    }
}
