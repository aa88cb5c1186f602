//! PostgreSQL that is set up oddly. Every refusal names the missing right or setting and the
//! statement that grants it; after that statement bidarc starts.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::harness::{Cluster, Database, Launch};

/// Adds a key as this role, which opens the database as the service does.
async fn open_as(database: &Database, url: &str) -> Result<(), String> {
    static KEYS: AtomicU32 = AtomicU32::new(0);
    let name = format!("key {}", KEYS.fetch_add(1, Ordering::Relaxed));
    let add = ["keys", "add", &name, "--scope", "read"];
    let launch = Launch::new(database.directory()).env("BIDARC_DATABASE__URL", url);
    let output = add.iter().fold(launch, |launch, argument| launch.arg(argument)).run().await;
    if output.status.success() { Ok(()) } else { Err(output.stderr) }
}

fn as_role(url: &str, role: &str) -> String {
    url.replace("bidarc@", &format!("{role}@"))
}

/// Asserts that bidarc is refused with this statement, and opens the database once it was executed.
async fn assert_remedy(cluster: &Cluster, database: &Database, role: &str, remedy: &str) {
    let url = as_role(&database.url(), role);
    let error = open_as(database, &url).await.unwrap_err();
    assert!(error.contains(remedy), "{remedy} is not in {error}");
    assert!(!error.contains("at line"), "{error}");
    cluster.execute_in(&executed_in(cluster, database, remedy), remedy);
    open_as(database, &url).await.unwrap_or_else(|error| panic!("after {remedy}: {error}"));
}

/// Where to execute a statement: in the database that it changes, unless it concerns all of it.
fn executed_in(cluster: &Cluster, database: &Database, statement: &str) -> String {
    if statement.contains("SCHEMA") { database.url() } else { cluster.url("postgres") }
}

fn name_of(database: &Database) -> String {
    database.url().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn right_or_setting_that_is_missing_is_named_with_its_statement() {
    let cluster = Cluster::shared();
    for (case, (setup, remedy)) in [
        (&[][..], r#"GRANT CREATE ON SCHEMA "public" TO "{role}""#),
        (&["REVOKE USAGE ON SCHEMA public FROM PUBLIC"], r#"GRANT USAGE, CREATE ON SCHEMA public TO "{role}""#),
        (
            &["GRANT CREATE ON SCHEMA public TO {role}", "ALTER ROLE {role} SET default_transaction_read_only = on"],
            r#"ALTER ROLE "{role}" RESET default_transaction_read_only"#,
        ),
        (
            &[
                "GRANT CREATE ON SCHEMA public TO {role}",
                "ALTER DATABASE {database} SET default_transaction_read_only = on",
            ],
            r#"ALTER DATABASE "{database}" RESET default_transaction_read_only"#,
        ),
        (
            &[
                "GRANT CREATE ON SCHEMA public TO {role}",
                "ALTER ROLE {role} IN DATABASE {database} SET default_transaction_read_only = on",
            ],
            r#"ALTER ROLE "{role}" IN DATABASE "{database}" RESET default_transaction_read_only"#,
        ),
        (&["GRANT CREATE ON SCHEMA public TO {role}", "ALTER ROLE {role} NOLOGIN"], r#"ALTER ROLE "{role}" LOGIN"#),
        (
            &["GRANT CREATE ON SCHEMA public TO {role}", "REVOKE CONNECT ON DATABASE {database} FROM PUBLIC"],
            r#"GRANT CONNECT ON DATABASE "{database}" TO "{role}""#,
        ),
        (
            &["GRANT CREATE ON SCHEMA public TO {role}", "ALTER ROLE {role} CONNECTION LIMIT 5"],
            r#"ALTER ROLE "{role}" CONNECTION LIMIT 10"#,
        ),
        (
            &["GRANT CREATE ON SCHEMA public TO {role}", "ALTER ROLE {role} CONNECTION LIMIT 0"],
            r#"ALTER ROLE "{role}" CONNECTION LIMIT -1"#,
        ),
        (
            &["GRANT CREATE ON SCHEMA public TO {role}", "ALTER DATABASE {database} CONNECTION LIMIT 5"],
            r#"ALTER DATABASE "{database}" CONNECTION LIMIT 10"#,
        ),
        (
            &["GRANT CREATE ON SCHEMA public TO {role}", "ALTER DATABASE {database} ALLOW_CONNECTIONS false"],
            r#"ALTER DATABASE "{database}" ALLOW_CONNECTIONS true"#,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let database = Database::in_cluster(&cluster);
        let (name, role) = (name_of(&database), format!("role_{case}"));
        let fill = |text: &str| text.replace("{role}", &role).replace("{database}", &name);
        cluster.execute_in(&database.url(), &format!("CREATE ROLE {role} LOGIN"));
        for statement in setup {
            cluster.execute_in(&executed_in(&cluster, &database, statement), &fill(statement));
        }
        assert_remedy(&cluster, &database, &role, &fill(remedy)).await;
    }
}

#[tokio::test]
async fn tables_of_another_role_are_refused_with_the_statement() {
    let cluster = Cluster::shared();
    let database = Database::in_cluster(&cluster);
    open_as(&database, &database.url()).await.unwrap();
    cluster
        .execute_in(&database.url(), "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    let remedy = r#"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "public" TO "reader""#;
    assert_remedy(&cluster, &database, "reader", remedy).await;

    // The role may write, and a migration needs the owner.
    let older = Database::in_cluster(&cluster);
    older.apply_migrations(2).await;
    cluster.execute_in(
        &older.url(),
        "GRANT ALL ON SCHEMA public TO reader; GRANT ALL ON ALL TABLES IN SCHEMA public TO reader",
    );
    let error = open_as(&older, &as_role(&older.url(), "reader")).await.unwrap_err();
    assert!(error.contains("must be owner of table") && error.contains("GRANT <owner> TO <role>"), "{error}");
    cluster.execute_in(&older.url(), "GRANT bidarc TO reader");
    open_as(&older, &as_role(&older.url(), "reader")).await.unwrap();
}

#[tokio::test]
async fn database_or_role_that_is_not_there_is_refused_with_the_statement() {
    let cluster = Cluster::shared();
    let database = Database::in_cluster(&cluster);
    for (url, texts) in [
        (as_role(&database.url(), "stranger"), &["does not exist", "CREATE ROLE \"stranger\" LOGIN PASSWORD"][..]),
        (
            format!("{}_x", database.url()),
            &["does not exist", "OWNER \"bidarc\" ENCODING 'UTF8' TEMPLATE template0", "CREATE DATABASE \"test_"],
        ),
        (
            format!("{}?options=-c%20default_transaction_read_only=on", database.url()),
            &["default_transaction_read_only", "remove it from the URL's options"],
        ),
        (format!("{}?sslmode=require", database.url()), &["TLS", "sslmode=prefer"]),
        (
            format!("{}?options=-c%20search_path=nowhere", database.url()),
            &["no schema of its search_path (nowhere)", "GRANT USAGE, CREATE ON SCHEMA"],
        ),
    ] {
        let error = open_as(&database, &url).await.unwrap_err();
        for text in texts {
            assert!(error.contains(text), "{url}: {text:?} is not in {error}");
        }
    }
}

/// One cluster is set up ever more oddly: few connections, TLS and passwords required, a replica.
#[tokio::test]
async fn server_that_is_not_suitable_is_refused_with_the_setting() {
    let cluster = Cluster::dedicated();
    let database = Database::in_cluster(&cluster);
    cluster.execute_in(
        &database.url(),
        "CREATE ROLE office LOGIN PASSWORD 'right'; CREATE ROLE tls LOGIN; GRANT CREATE ON SCHEMA public TO office, tls",
    );
    cluster.execute_in(&database.url(), "ALTER SYSTEM SET max_connections = 12");
    cluster.restart();
    let error = open_as(&database, &as_role(&database.url(), "office")).await.unwrap_err();
    assert!(error.contains("ALTER SYSTEM SET max_connections = 13"), "{error}");
    cluster.execute_in(&database.url(), "ALTER SYSTEM SET max_connections = 13");
    cluster.restart();
    open_as(&database, &as_role(&database.url(), "office")).await.unwrap();

    let rules = "host all bidarc 127.0.0.1/32 trust\nhost all office 127.0.0.1/32 scram-sha-256\nhostssl all tls 127.0.0.1/32 trust";
    let rules: Vec<String> = rules.lines().map(|line| format!("('{line}')")).collect();
    let write = format!("COPY (VALUES {}) TO %L", rules.join(", ")).replace('\'', "''");
    cluster.execute_in(
        &database.url(),
        &format!("DO $$ BEGIN EXECUTE format('{write}', current_setting('hba_file')); END $$"),
    );
    cluster.execute_in(&database.url(), "SELECT pg_reload_conf()");
    let error = open_as(&database, &as_role(&database.url(), "tls")).await.unwrap_err();
    assert!(error.contains("sslmode=require") && error.contains("pg_hba.conf"), "{error}");
    let error = open_as(&database, &as_role(&database.url(), "office:wrong")).await.unwrap_err();
    assert!(error.contains("ALTER ROLE \"office\" LOGIN PASSWORD") && !error.contains("wrong"), "{error}");
    open_as(&database, &as_role(&database.url(), "office:right")).await.unwrap();

    cluster.restart_as_replica();
    let error = open_as(&database, &database.url()).await.unwrap_err();
    assert!(error.contains("pg_is_in_recovery") && error.contains("URL of the primary"), "{error}");
    cluster.execute_in(&database.url(), "SELECT pg_promote()");
    open_as(&database, &database.url()).await.unwrap();
}
