//! An index answers every documented filter and order, according to the databases' query plans.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{PostgresQueryBuilder, SelectStatement, SqliteQueryBuilder};

use super::list::{child_page_statement, page_statement};
use super::order::Sortable;
use super::*;
use crate::clock::Clock;
use crate::domain::{Bucket, EventKind, Money, ProposalStatus};
use crate::store::Store;
use crate::store::engine::dialect::Dialect;
use crate::store::test_support::PostgresCluster;

const WINDOW: Window = Window { after: None, before: None, limit: 20, backward: false };

/// The lines of a statement's plan.
async fn plan(store: &Store, statement: SelectStatement) -> Vec<String> {
    let sql = format!("EXPLAIN QUERY PLAN {}", statement.to_string(SqliteQueryBuilder));
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql);
    let rows = store.reader().query_all_raw(statement).await.unwrap();
    rows.into_iter().map(|row| row.try_get::<String>("", "detail").unwrap()).collect()
}

fn sort(column: &'static str, tie_breakers: &'static [&'static str]) -> Sort {
    Sort { column, tie_breakers, descending: true }
}

fn assert_indexed(name: &str, plan: &[String]) {
    for line in plan {
        let reads_all = line.starts_with("SCAN") && !line.contains("USING");
        assert!(!reads_all, "{name} reads a whole table: {plan:?}");
    }
}

#[tokio::test]
async fn every_order_uses_an_index() {
    let (_directory, store) = Store::for_test().await;
    let by_id: &[&str] = &["vendor_id"];
    let by_key: &[&str] = &["provider", "vendor_id"];
    let mut plans = Vec::new();
    for backward in [false, true] {
        let window = Window { backward, ..WINDOW };
        for column in ["created_order", "updated_order", "name_sort", "last_event_at"] {
            let all = Condition::all;
            plans.push((column, page_statement::<ProjectRow>(ProjectRow::ALL, all(), sort(column, by_id), &window)));
            plans.push((column, page_statement::<ClientRow>(ClientRow::ALL, all(), sort(column, by_id), &window)));
            plans.push((column, page_statement::<ProposalRow>(ProposalRow::ALL, all(), sort(column, by_key), &window)));
        }
        for column in ["name_sort", "last_event_at", "first_seen_at"] {
            let of_drawings =
                page_statement::<DrawingRow>(DrawingRow::ALL, Condition::all(), sort(column, by_id), &window);
            plans.push((column, of_drawings));
        }
        let total = sort("total_order", by_key);
        plans.push(("total", page_statement::<ProposalRow>(ProposalRow::ALL, Condition::all(), total, &window)));
        plans.push((
            "log",
            page_statement::<EventRow>(EventRow::ALL, Condition::all(), EventRow::DEFAULT_ORDER, &window),
        ));
        let quarantine = Quarantine.condition();
        plans.push((
            "quarantine",
            page_statement::<DeliveryRow>(DeliveryRow::ALL, quarantine, DeliveryRow::DEFAULT_ORDER, &window),
        ));
    }
    for (name, statement) in plans {
        let table = statement.to_string(SqliteQueryBuilder);
        let plan = plan(&store, statement).await;
        // The log's key is its order: a scan along it stops as soon as the page is full.
        if name != "log" {
            assert_indexed(&format!("{name} of {table}"), &plan);
        }
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{name} sorts: {plan:?} for {table}");
    }
}

#[tokio::test]
async fn every_filter_uses_an_index() {
    let (_directory, store) = Store::for_test().await;
    let id = || VendorId::new("1");
    let text = || Some("x".to_owned());
    let now = || Some(Clock::system().now());
    let mut plans = Vec::new();
    let of_projects = |filter: ProjectFilter| {
        page_statement::<ProjectRow>(
            ProjectRow::ALL,
            filter.condition(),
            sort("last_event_at", &["vendor_id"]),
            &WINDOW,
        )
    };
    let none = ProjectFilter::default;
    plans.push(("nameContains", of_projects(ProjectFilter { name_contains: text(), ..none() })));
    plans.push(("jobNumber", of_projects(ProjectFilter { job_number: text(), ..none() })));
    plans.push(("tag", of_projects(ProjectFilter { tag: text(), ..none() })));
    plans.push(("createdFrom", of_projects(ProjectFilter { created_from: now(), ..none() })));
    plans.push(("createdBefore", of_projects(ProjectFilter { created_before: now(), ..none() })));
    let of_drawings = |filter: DrawingFilter| {
        page_statement::<DrawingRow>(
            DrawingRow::ALL,
            filter.condition(),
            sort("last_event_at", &["vendor_id"]),
            &WINDOW,
        )
    };
    let none = DrawingFilter::default;
    plans.push(("nameContains", of_drawings(DrawingFilter { name_contains: text(), ..none() })));
    plans.push(("projectId", of_drawings(DrawingFilter { project: id(), ..none() })));
    plans.push(("tag", of_drawings(DrawingFilter { tag: text(), ..none() })));
    let of_clients = |filter: ClientFilter| {
        page_statement::<ClientRow>(ClientRow::ALL, filter.condition(), sort("last_event_at", &["vendor_id"]), &WINDOW)
    };
    let none = ClientFilter::default;
    plans.push(("nameContains", of_clients(ClientFilter { name_contains: text(), ..none() })));
    plans.push(("email", of_clients(ClientFilter { email: text(), ..none() })));
    plans.push(("city", of_clients(ClientFilter { city: text(), ..none() })));
    let by_key: &[&str] = &["provider", "vendor_id"];
    let of_proposals = |filter: ProposalFilter| {
        page_statement::<ProposalRow>(ProposalRow::ALL, filter.condition(), sort("last_event_at", by_key), &WINDOW)
    };
    let none = ProposalFilter::default;
    plans.push(("provider", of_proposals(ProposalFilter { providers: Some(vec![Provider::Arcsite]), ..none() })));
    plans.push(("status", of_proposals(ProposalFilter { statuses: Some(vec![ProposalStatus::Lost]), ..none() })));
    plans.push(("nameContains", of_proposals(ProposalFilter { name_contains: text(), ..none() })));
    plans.push(("clientId", of_proposals(ProposalFilter { client: id(), ..none() })));
    plans.push(("projectId", of_proposals(ProposalFilter { project: id(), ..none() })));
    plans.push(("totalAtLeast", of_proposals(ProposalFilter { total_at_least: Some(Money(1)), ..none() })));
    plans.push(("createdFrom", of_proposals(ProposalFilter { created_from: now(), ..none() })));
    plans.push(("createdBefore", of_proposals(ProposalFilter { created_before: now(), ..none() })));
    let of_events = |filter: EventFilter| {
        page_statement::<EventRow>(EventRow::ALL, filter.condition(), EventRow::DEFAULT_ORDER, &WINDOW)
    };
    let none = EventFilter::default;
    plans.push(("provider", of_events(EventFilter { providers: Some(vec![Provider::Arcsite]), ..none() })));
    plans.push(("kind", of_events(EventFilter { kinds: Some(vec![EventKind::ClientCreated]), ..none() })));
    let proposal = id().map(|id| (Provider::Arcsite, id));
    plans.push(("proposalId", of_events(EventFilter { proposal, ..none() })));
    plans.push(("clientId", of_events(EventFilter { client: id(), ..none() })));
    plans.push(("projectId", of_events(EventFilter { project: id(), ..none() })));
    plans.push(("drawingId", of_events(EventFilter { drawing: id(), ..none() })));
    plans.push(("receivedFrom", of_events(EventFilter { received_from: now(), ..none() })));
    plans.push(("receivedBefore", of_events(EventFilter { received_before: now(), ..none() })));
    for (name, statement) in plans {
        let sql = statement.to_string(SqliteQueryBuilder);
        let plan = plan(&store, statement).await;
        // The log's key is its order: a scan along it stops early.
        if !sql.contains("FROM \"event\"") {
            assert_indexed(name, &plan);
        } else if name.ends_with("Id") {
            assert!(plan[0].starts_with("SEARCH"), "{name}: {plan:?}");
            assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{name} sorts: {plan:?}");
        }
        let exact = ["jobNumber", "projectId", "clientId", "email", "city", "tag"];
        if exact.contains(&name) {
            assert!(plan.iter().any(|line| line.starts_with("SEARCH")), "{name}: {plan:?}");
        }
    }
}

#[tokio::test]
async fn nested_pages_use_an_index() {
    let (_directory, store) = Store::for_test().await;
    let parents = ["1".to_owned(), "2".to_owned()];
    let relation_by = |column| relation::Relation { column, provider: None, is_number: false, only: &[] };
    let by_event = sort("last_event_at", &["vendor_id"]);
    let by_key = sort("last_event_at", &["provider", "vendor_id"]);
    fn nested<R: ReadRow>(
        parents: &[String],
        relation: relation::Relation,
        sort: Sort,
        window: &Window,
    ) -> SelectStatement {
        json_rows::encode::encode_per_key::<R>(
            Dialect::Sqlite,
            parents,
            child_page_statement::<R>(R::ALL, relation, sort, window),
            R::ALL,
        )
    }
    let mut plans = Vec::new();
    for backward in [false, true] {
        let window = Window { backward, ..WINDOW };
        let of_project = relation_by("project_vendor_id");
        plans.push(nested::<DrawingRow>(&parents, of_project, by_event, &window));
        for column in ["project_vendor_id", "client_vendor_id"] {
            let of_parent = relation_by(column);
            plans.push(nested::<ProposalRow>(&parents, of_parent, by_key, &window));
        }
        for column in ["project_vendor_id", "client_vendor_id", "drawing_vendor_id"] {
            plans.push(nested::<EventRow>(&parents, relation_by(column), EventRow::DEFAULT_ORDER, &window));
        }
        let of_proposal = relation::Relation {
            column: "proposal_vendor_id",
            provider: Some(Provider::Arcsite),
            is_number: false,
            only: &[],
        };
        plans.push(nested::<EventRow>(&parents, of_proposal, EventRow::DEFAULT_ORDER, &window));
        for of_file in [
            relation::Relation::EVENT_FILES,
            relation::Relation::EVENT_PDF,
            relation::Relation::DRAWING_FILES,
            relation::Relation::DRAWING_PDFS,
            relation::Relation::SIGNED_FILES,
            relation::Relation::PROPOSAL_FILES,
        ] {
            plans.push(nested::<FileRow>(&parents, of_file, FileRow::DEFAULT_ORDER, &window));
        }
    }
    for statement in plans {
        let sql = statement.to_string(SqliteQueryBuilder);
        let plan = plan(&store, statement).await;
        assert!(
            plan.iter().any(|line| line.starts_with("SEARCH") && line.contains("USING INDEX")),
            "{plan:?} for {sql}"
        );
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "a nested page sorts: {plan:?} for {sql}");
    }
}

/// The statement of each filter that has an index of its own, and that index.
fn filters_with_an_index() -> Vec<(&'static str, SelectStatement, &'static str)> {
    let time = || Some(Clock::system().now());
    let mut filters = Vec::new();
    for (filter, index) in [
        (ProposalFilter { sent_before: time(), ..ProposalFilter::default() }, "proposal_sent"),
        (ProposalFilter { decided_from: time(), ..ProposalFilter::default() }, "proposal_decided"),
        (ProposalFilter { decided_before: time(), ..ProposalFilter::default() }, "proposal_decided"),
        (ProposalFilter { viewed: Some(true), ..ProposalFilter::default() }, "proposal_viewed"),
        (ProposalFilter { viewed: Some(false), ..ProposalFilter::default() }, "proposal_not_viewed"),
        (ProposalFilter { viewed_before: time(), ..ProposalFilter::default() }, "proposal_viewed"),
    ] {
        let page =
            page_statement::<ProposalRow>(ProposalRow::ALL, filter.condition(), ProposalRow::DEFAULT_ORDER, &WINDOW);
        filters.push(("proposal", page, index));
    }
    for (filter, index) in [
        (EventFilter { statuses: Some(vec![ProposalStatus::Lost]), ..EventFilter::default() }, "event_status"),
        (EventFilter { vendor_types: Some(vec!["x".to_owned()]), ..EventFilter::default() }, "event_vendor_type"),
        (EventFilter { kinds: Some(vec![EventKind::ClientCreated]), ..EventFilter::default() }, "event_kind"),
        (EventFilter { redelivered: Some(true), ..EventFilter::default() }, "delivery_redelivery"),
        (EventFilter { redelivered: Some(false), ..EventFilter::default() }, "delivery_redelivery"),
    ] {
        let page =
            page_statement::<EventRow>(EventRow::ALL, Filterable::condition(&filter), EventRow::DEFAULT_ORDER, &WINDOW);
        filters.push(("event", page, index));
    }
    let bucket = Bucket { start: 0, from: 0, before: 100 };
    let counts = event_stats::count_statement(&EventFilter::default(), &[bucket, bucket]);
    filters.push(("event", counts, "event_received_at"));
    filters
}

/// Fills the tables, so that PostgreSQL does not take every plan for equally good. Few rows meet
/// the filters, except for those that were not viewed.
async fn fill(store: &Store, numbers: &str) {
    let tx = store.begin().await.unwrap();
    let rare = "CASE WHEN n % 500 = 0 THEN n END";
    for statement in [
        format!(
            "INSERT INTO proposal (provider, vendor_id, sent_at, first_viewed_at, decided_at, order_key, first_seen_at, \
             last_event_at, created_order, updated_order, total_order, name_order, name_folded) SELECT 'BIDSKETCH', \
             CAST(n AS text), {rare}, CASE WHEN n > 100 THEN n END, {rare}, n, n, n, n, n, n, '', '' FROM {numbers}"
        ),
        format!(
            "INSERT INTO event (seq, provider, kind, vendor_type, subject, identity, status, received_at, order_key, body) \
             SELECT n, 'BIDSKETCH', CASE WHEN n < 9 THEN 'CLIENT_CREATED' ELSE 'PROPOSAL_VIEWED' END, \
             CASE WHEN n < 9 THEN 'x' ELSE 'y' END, 'x', CAST(n AS text), CASE WHEN n < 9 THEN 'LOST' END, n, n, '' FROM {numbers}"
        ),
        format!(
            "INSERT INTO delivery (id, provider, received_at, outcome, event_seq) SELECT n, 'BIDSKETCH', n, \
             CASE WHEN n % 500 = 0 THEN 'REDELIVERY' ELSE 'ACCEPTED' END, n FROM {numbers}"
        ),
    ] {
        tx.execute_unprepared(&statement).await.unwrap();
    }
    store.commit(tx, None).await.unwrap();
}

#[tokio::test]
async fn filter_by_time_view_status_type_or_redelivery_uses_its_index() {
    let (_directory, store) = Store::for_test().await;
    let numbers = "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) SELECT n FROM s)";
    fill(&store, numbers).await;
    for (table, statement, index) in filters_with_an_index() {
        let sql = statement.to_string(SqliteQueryBuilder);
        let plan = plan(&store, statement).await.join("\n");
        assert!(plan.contains(&format!("INDEX {index}")), "{table} {index}: {plan} for {sql}");
    }
    store.close().await;
    let cluster = PostgresCluster::start();
    let store = cluster.new_store().await;
    fill(&store, "generate_series(1, 5000) AS n").await;
    store.reader().execute_unprepared("VACUUM ANALYZE").await.unwrap();
    for (table, statement, index) in filters_with_an_index() {
        let sql = statement.to_string(PostgresQueryBuilder);
        let explain = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, format!("EXPLAIN {sql}"));
        let rows = store.reader().query_all_raw(explain).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get("", "QUERY PLAN").unwrap()).collect();
        let plan = lines.join("\n");
        assert!(
            plan.contains(&format!("using {index}")) || plan.contains(&format!("on {index}")),
            "{table} {index}: {plan} for {sql}"
        );
    }
    store.close().await;
}

fn time(seconds: i64) -> Option<crate::clock::Time> {
    chrono::DateTime::from_timestamp(seconds, 0)
}

/// The statements of the lists of deliveries and payments and of an export of proposals, each with
/// the index that answers it.
fn indexed_statements(dialect: Dialect) -> Vec<(&'static str, &'static str, SelectStatement)> {
    let deliveries = |filter: DeliveryFilter| {
        let condition = match dialect {
            Dialect::Sqlite => filter.sqlite_page_condition(),
            Dialect::Postgres => filter.condition(),
        };
        page_statement::<DeliveryRow>(DeliveryRow::ALL, condition, DeliveryRow::DEFAULT_ORDER, &WINDOW)
    };
    let payments = |filter: PaymentFilter| {
        page_statement::<PaymentRow>(PaymentRow::ALL, filter.condition(), PaymentRow::DEFAULT_ORDER, &WINDOW)
    };
    let proposals = |filter: ProposalFilter| {
        let by_creation = sort("created_order", &["provider", "vendor_id"]);
        page_statement::<ProposalRow>(ProposalRow::ALL, filter.condition(), by_creation, &WINDOW)
    };
    let id = VendorId::new("7").unwrap();
    vec![
        (
            "outcome",
            "delivery_outcome",
            deliveries(DeliveryFilter {
                outcomes: Some(vec![DeliveryOutcome::Quarantined]),
                ..DeliveryFilter::default()
            }),
        ),
        (
            "reason",
            "delivery_reason",
            deliveries(DeliveryFilter {
                reasons: Some(vec![crate::domain::QuarantineReason::NotJson]),
                ..DeliveryFilter::default()
            }),
        ),
        (
            "provider",
            "delivery_provider",
            deliveries(DeliveryFilter { providers: Some(vec![Provider::Bidsketch]), ..DeliveryFilter::default() }),
        ),
        (
            "receivedFrom",
            "delivery_received_at",
            deliveries(DeliveryFilter { received_from: time(19_990), ..DeliveryFilter::default() }),
        ),
        (
            "receivedBefore",
            "delivery_received_at",
            deliveries(DeliveryFilter { received_before: time(10), ..DeliveryFilter::default() }),
        ),
        (
            "received in a range",
            "delivery_received_at",
            deliveries(DeliveryFilter {
                received_from: time(19_000),
                received_before: time(19_010),
                ..DeliveryFilter::default()
            }),
        ),
        (
            "proposalId",
            "payment_proposal",
            payments(PaymentFilter { proposal: Some((Provider::Arcsite, id.clone())), ..PaymentFilter::default() }),
        ),
        ("projectId", "payment_proposal", payments(PaymentFilter { project: Some(id), ..PaymentFilter::default() })),
        (
            "paidFrom",
            "payment_paid",
            payments(PaymentFilter { paid_from: time(19_990 * 86_400), ..PaymentFilter::default() }),
        ),
        (
            "paidBefore",
            "payment_paid",
            payments(PaymentFilter { paid_before: time(10 * 86_400), ..PaymentFilter::default() }),
        ),
        (
            "amountAtLeast",
            "payment_amount",
            payments(PaymentFilter { amount_at_least: Some(Money(19_990)), ..PaymentFilter::default() }),
        ),
        (
            "status of an export",
            "proposal_status_created",
            proposals(ProposalFilter { statuses: Some(vec![ProposalStatus::Lost]), ..ProposalFilter::default() }),
        ),
        (
            "provider of an export",
            "proposal_provider_created",
            proposals(ProposalFilter { providers: Some(vec![Provider::Bidsketch]), ..ProposalFilter::default() }),
        ),
    ]
}

#[tokio::test]
async fn lists_and_search_use_their_indexes_on_sqlite() {
    let (_directory, store) = Store::for_test().await;
    for (name, index, statement) in indexed_statements(Dialect::Sqlite) {
        let plan = plan(&store, statement).await;
        assert!(plan.iter().any(|line| line.starts_with("SEARCH") && line.contains(index)), "{name}: {plan:?}");
        let of_deliveries = index.starts_with("delivery");
        assert!(!of_deliveries || !plan.iter().any(|line| line.contains("TEMP B-TREE")), "{name} sorts: {plan:?}");
    }
    let bounds = [(Some(10), None), (None, Some(10)), (Some(10), Some(20))];
    for (from, before) in bounds.map(|(from, before)| (from.and_then(time), before.and_then(time))) {
        let filter = EventFilter { received_from: from, received_before: before, ..EventFilter::default() };
        let page =
            page_statement::<EventRow>(EventRow::ALL, filter.sqlite_page_condition(), EventRow::DEFAULT_ORDER, &WINDOW);
        let plan = plan(&store, page).await;
        assert!(
            plan[0].starts_with("SEARCH") && plan.iter().any(|line| line.contains("event_received_at")),
            "{plan:?}"
        );
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:?}");
    }
    for (name, statement) in search::statements("J-1") {
        assert_indexed(&name, &plan(&store, statement).await);
    }
}

/// The databases have many rows, and statistics that know them.
#[tokio::test]
async fn lists_and_search_use_their_indexes_on_postgres() {
    let cluster = PostgresCluster::start();
    let store = cluster.new_store().await;
    let tx = store.begin().await.unwrap();
    let rare = "CASE WHEN n % 500 = 0 THEN";
    for insert in [
        format!(
            "INSERT INTO delivery (id, provider, received_at, outcome, quarantine_reason) SELECT n, {rare} 'BIDSKETCH' ELSE \
             'ARCSITE' END, CAST(n AS bigint) * 1000000, {rare} 'QUARANTINED' ELSE 'ACCEPTED' END, {rare} 'NOT_JSON' END FROM \
             generate_series(1, 20000) AS n"
        ),
        "INSERT INTO payment (event_seq, proposal_vendor_id, amount, channel, paid_at, paid_on, received_at) SELECT n, \
         CAST(n / 10 AS text), n, '', CASE WHEN n % 2 = 0 THEN CAST(n AS bigint) * 86400000000 END, CASE WHEN n % 2 = 1 THEN \
         CAST(DATE '1970-01-01' + n AS text) END, n FROM generate_series(1, 20000) AS n"
            .to_owned(),
        format!(
            "INSERT INTO proposal (provider, vendor_id, status, project_vendor_id, customer_email, order_key, first_seen_at, \
             last_event_at, created_order, updated_order, total_order, name_order, name_folded, name_sort, name_search) SELECT \
             {rare} 'BIDSKETCH' ELSE 'ARCSITE' END, CAST(n AS text), {rare} 'LOST' ELSE 'PENDING' END, CAST(n / 10 AS text), 'a' || n || \
             '@x', n, n, n, n, n, n, 'roof ' || n, 'roof ' || n, 'roof ' || n, 'roof ' || n FROM generate_series(1, 20000) AS n"
        ),
        "INSERT INTO project (vendor_id, job_number, job_number_key, order_key, first_seen_at, last_event_at, created_order, \
         updated_order, name_order, name_folded, name_sort, name_search) SELECT CAST(n AS text), 'J-' || n, 'J-' || n, n, n, n, n, n, \
         'roof ' || n, 'roof ' || n, 'roof ' || n, 'roof ' || n FROM generate_series(1, 20000) AS n"
            .to_owned(),
        "INSERT INTO client (vendor_id, email_search, email_folded, order_key, first_seen_at, last_event_at, created_order, \
         updated_order, name_order, name_folded, name_sort, name_search) SELECT CAST(n AS text), 'a' || n || '@x', 'a' || n || '@x', n, \
         n, n, n, n, 'roof ' || n, 'roof ' || n, 'roof ' || n, 'roof ' || n FROM generate_series(1, 20000) AS n"
            .to_owned(),
        "INSERT INTO drawing (vendor_id, order_key, first_seen_at, last_event_at, name_order, name_folded, name_sort, name_search) \
         SELECT CAST(n AS text), n, n, n, 'roof ' || n, 'roof ' || n, 'roof ' || n, 'roof ' || n FROM generate_series(1, 20000) AS n"
            .to_owned(),
    ] {
        tx.execute_unprepared(&insert).await.unwrap();
    }
    store.commit(tx, None).await.unwrap();
    store.reader().execute_unprepared("ANALYZE").await.unwrap();
    let explain = async |statement: SelectStatement| {
        let sql = format!("EXPLAIN {}", statement.to_string(PostgresQueryBuilder));
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        let rows = store.reader().query_all_raw(statement).await.unwrap();
        let lines: Vec<String> = rows.into_iter().map(|row| row.try_get("", "QUERY PLAN").unwrap()).collect();
        lines.join("\n")
    };
    for (name, index, statement) in indexed_statements(Dialect::Postgres) {
        let plan = explain(statement).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{name}: {plan}");
    }
    for (name, statement) in search::statements("J-17") {
        let plan = explain(statement).await;
        assert!(!plan.contains("Seq Scan"), "{name}: {plan}");
    }
    store.close().await;
}
