//! Rows of several keys and the bytes of a request's budget, on both databases.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, Order};

use super::*;
use crate::store::Store;
use crate::store::budget::{Budget, BudgetLimits};
use crate::store::read::EventRow;
use crate::store::test_support::PostgresCluster;

const BODY_BYTES: usize = 1000;

/// The events of a project in their order.
fn events_of_project() -> SelectStatement {
    select_columns::<EventRow>(EventRow::ALL)
        .and_where(Expr::col("project_vendor_id").eq(Expr::col((encode::KEYS_TABLE, "value"))))
        .order_by("seq", Order::Asc)
        .take()
}

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

/// A reader whose request may read so many bytes of bodies.
fn within(store: &Store, bytes: usize) -> Reader {
    let bytes = u64::try_from(bytes / 2).unwrap();
    store.reader().within(Arc::new(Budget::new(BudgetLimits { rows: 100, bytes, time: Duration::from_mins(1) })))
}

async fn check(store: &Store) {
    for (seq, project) in [(1, "a"), (2, "b"), (3, "a")] {
        let body = "x".repeat(BODY_BYTES);
        let event = format!(
            "INSERT INTO event (seq, provider, kind, vendor_type, subject, identity, received_at, order_key, \
             project_vendor_id, body) VALUES ({seq}, 'ARCSITE', 'PROJECT_UPDATED', 'project.updated', 's', '{seq}', 1, \
             1, '{project}', '{body}')"
        );
        let tx = store.begin().await.unwrap();
        tx.execute_unprepared(&event).await.unwrap();
        store.commit(tx, None).await.unwrap();
    }
    let of_projects = async |db: &Reader, projects: &[&str]| {
        fetch_rows_per_key::<EventRow>(db, &keys(projects), events_of_project(), EventRow::ALL).await
    };
    let all =
        async |db: &Reader| fetch_rows::<EventRow>(db, select_columns::<EventRow>(EventRow::ALL), EventRow::ALL).await;

    let lists = of_projects(store.reader(), &["b", "none", "a"]).await.unwrap();
    let seqs: Vec<Vec<i64>> = lists.iter().map(|rows| rows.iter().map(|row| row.seq.0).collect()).collect();
    assert_eq!(seqs, [vec![2], vec![], vec![1, 3]]);

    // The bodies alone are judged before they are read; whole rows are taken after.
    let over = |result: Result<usize, StoreError>| matches!(result, Err(StoreError::OverBudget));
    let count = |lists: Vec<Vec<EventRow>>| lists.iter().map(Vec::len).sum::<usize>();
    assert!(over(of_projects(&within(store, 3 * BODY_BYTES - 2), &["a", "b"]).await.map(count)));
    assert!(over(all(&within(store, 3 * BODY_BYTES - 2)).await.map(|rows| rows.len())));
    let db = within(store, 5 * BODY_BYTES);
    assert_eq!(of_projects(&db, &["a", "b"]).await.map(count).unwrap(), 3);
    assert!(over(of_projects(&db, &["a", "b"]).await.map(count)), "the first read took its bytes");
    let db = within(store, 5 * BODY_BYTES);
    assert_eq!(all(&db).await.unwrap().len(), 3);
    assert!(over(all(&db).await.map(|rows| rows.len())), "the first read took its bytes");
}

#[tokio::test]
async fn rows_of_keys_are_read_within_a_budget_on_sqlite() {
    let (_directory, store) = Store::for_test().await;
    check(&store).await;
}

#[tokio::test]
async fn rows_of_keys_are_read_within_a_budget_on_postgresql() {
    let cluster = PostgresCluster::start();
    let store = cluster.new_store().await;
    check(&store).await;
    store.close().await;
}
