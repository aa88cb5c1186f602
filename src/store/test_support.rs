//! Databases for tests.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, Database, DbBackend, EntityTrait, Statement};

use super::Store;
use crate::clock::{Clock, Time};
use crate::config::{self, Settings};
use crate::domain::{FileState, Provider};

impl Store {
    /// A new SQLite database, deleted with the directory.
    pub(crate) async fn for_test() -> (tempfile::TempDir, Self) {
        let directory = tempfile::tempdir().unwrap();
        let store = open(format!("sqlite://{}", directory.path().join("test.db").display())).await;
        (directory, store)
    }

    /// Every row of the log, its deliveries, their files and the projections.
    pub(crate) async fn dump(&self) -> Vec<String> {
        use entity::{client, delivery, drawing, drawing_tag, event, file, payment, project, project_tag, proposal};
        let mut rows = Vec::new();
        macro_rules! dump {
            ($($table:ident),+) => {
                $(for row in $table::Entity::find().all(self.reader()).await.unwrap() {
                    rows.push(format!("{} {row:?}", stringify!($table)));
                })+
            };
        }
        dump!(event, delivery, file, project, project_tag, drawing, drawing_tag, client, proposal, payment);
        rows.sort();
        rows
    }

    /// The name and the status of the objects with this id: the project, the drawing, the client,
    /// and Bidsketch's and ArcSite's proposal.
    pub(crate) async fn states_of(&self, id: &str) -> Vec<(Option<String>, Option<String>)> {
        use entity::{client, drawing, project, proposal};
        let db = self.reader();
        let mut states = Vec::new();
        macro_rules! named {
            ($($table:ident),+) => {
                $(let row = $table::Entity::find_by_id(id).one(db).await.unwrap();
                states.push((row.and_then(|row| row.name), None));)+
            };
        }
        named!(project, drawing, client);
        for provider in [Provider::Bidsketch, Provider::Arcsite] {
            let key = (provider.as_str().to_owned(), id.to_owned());
            let row = proposal::Entity::find_by_id(key).one(db).await.unwrap();
            states.push(row.map_or((None, None), |row| (row.name, row.status)));
        }
        states
    }

    /// Makes the events of proposals uncounted, as a node of an earlier version records them.
    pub(crate) async fn forget_counts(&self) {
        for sql in [
            "UPDATE event SET is_counted = NULL, previous_status = NULL, view_slot = NULL WHERE proposal_vendor_id IS NOT NULL",
            "UPDATE proposal SET sent_at = NULL, first_viewed_at = NULL, last_viewed_at = NULL, view_count = 0, \
             decided_at = NULL, stats_key = '', paid = 0",
        ] {
            self.execute(sql).await;
        }
    }

    /// Runs a statement in a transaction of its own.
    pub(crate) async fn execute(&self, sql: &str) {
        let tx = self.begin().await.unwrap();
        tx.execute_unprepared(sql).await.unwrap();
        self.commit(tx, None).await.unwrap();
    }

    /// Adds the row of a PDF whose event is not in the log.
    pub(crate) async fn insert_file(&self, id: i64, state: FileState, link_expires_at: Time) {
        let expires = link_expires_at.timestamp_micros();
        self.execute(&format!(
            "INSERT INTO file (id, event_seq, role, kind, link, link_hash, link_expires_at, state, attempts, next_attempt_at) \
             VALUES ({id}, 1, 'DRAWING', 'PDF', '', '', {expires}, '{state}', 0, 0)"
        ))
        .await;
    }

    /// How many generic and how many custom plans the write connection has executed.
    pub(crate) async fn plan_counts(&self) -> (i64, i64) {
        let tx = self.begin().await.unwrap();
        let sql =
            "SELECT CAST(SUM(generic_plans) AS bigint), CAST(SUM(custom_plans) AS bigint) FROM pg_prepared_statements";
        let row = tx.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
        tx.rollback().await.unwrap();
        (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())
    }

    /// Asserts that `last_event_at` of every projection row is the time of the newest event that
    /// belongs to it.
    pub(crate) async fn assert_last_event_times(&self) {
        use entity::{client, drawing, event, project, proposal};
        let events = event::Entity::find().all(self.reader()).await.unwrap();
        let newest = |is_counted: &dyn Fn(&event::Model) -> bool| {
            events.iter().filter(|event| is_counted(event)).map(|event| event.received_at).max().unwrap()
        };
        macro_rules! assert_newest {
            ($($table:ident by $column:ident),+) => {
                $(for row in $table::Entity::find().all(self.reader()).await.unwrap() {
                    let belongs = |event: &event::Model| event.$column.as_ref() == Some(&row.vendor_id);
                    assert_eq!(row.last_event_at, newest(&belongs), "{row:?}");
                })+
            };
        }
        assert_newest!(project by project_vendor_id, drawing by drawing_vendor_id, client by client_vendor_id);
        for row in proposal::Entity::find().all(self.reader()).await.unwrap() {
            let id = Some(&row.vendor_id);
            let belongs =
                |event: &event::Model| event.provider == row.provider && event.proposal_vendor_id.as_ref() == id;
            assert_eq!(row.last_event_at, newest(&belongs), "{row:?}");
        }
    }
}

async fn open(url: String) -> Store {
    let settings = config::Database { url: url.into(), readers: 1, ..Settings::defaults().unwrap().database };
    Store::open(&settings, Clock::system().now()).await.unwrap()
}

/// A throw-away PostgreSQL cluster, deleted when this is dropped.
pub(crate) struct PostgresCluster {
    script: Child,
    stdin: Option<ChildStdin>,
    /// The URL of its first database.
    url: String,
    databases: AtomicU32,
}

impl PostgresCluster {
    pub(crate) fn start() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/throwaway-postgres");
        let mut script = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(script.stdout.take().unwrap()).lines();
        let url = lines.next().expect("PostgreSQL's programs must be installed: README.md says how").unwrap();
        // The second line, the directory of its programs, says that it has started.
        lines.next().unwrap().unwrap();
        Self { stdin: script.stdin.take(), script, url, databases: AtomicU32::new(0) }
    }

    /// The URL of its first database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A new database in it.
    pub(crate) async fn new_store(&self) -> Store {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let connection = Database::connect(&self.url).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        connection.close().await.unwrap();
        open(format!("{}/{name}", self.url.trim_end_matches("/postgres"))).await
    }
}

impl Drop for PostgresCluster {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // The test may be unwinding from a panic already; a second one would abort the process.
        let _ = self.script.wait();
    }
}
