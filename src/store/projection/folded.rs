//! Folded copies of texts, by which rows are sorted and searched. The texts themselves never
//! change.
//!
//! Nodes of the version before fold less, into columns of their own: `name_order`, `name_folded`,
//! `email_folded` and `city_folded`. This version writes the same values there as in its own
//! columns. So a row in which they differ was written by the version before, or before the
//! migration: it is stale, and [`fold_stale_rows`] folds it again.

use entity::{client, drawing, project, proposal};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::domain::fold;
use crate::domain::text::{indexable_text, sort_prefix};
use crate::failpoint;
use crate::store::engine::Engine;
use crate::store::tenths::Tenths;
use crate::store::{BulkInsert, Reader, StoreError};

/// How many rows are folded again in one transaction, under the write lock.
const BATCH_ROWS: u64 = 200;

/// A row with folded copies of texts.
pub(super) trait FoldTexts {
    /// Sets the copies from the texts.
    fn fold_texts(&mut self);
}

macro_rules! fold_name {
    ($row:ident) => {{
        $row.name_search = fold($row.name.as_deref().unwrap_or_default());
        $row.name_sort = sort_prefix(&$row.name_search);
        $row.name_folded.clone_from(&$row.name_search);
        $row.name_order.clone_from(&$row.name_sort);
    }};
}

macro_rules! rows_with_a_name {
    ($($table:ident),+ $(,)?) => {
        $(impl FoldTexts for $table::Model {
            fn fold_texts(&mut self) {
                fold_name!(self);
            }
        })+
    };
}

rows_with_a_name!(project, drawing, proposal);

impl FoldTexts for client::Model {
    fn fold_texts(&mut self) {
        fold_name!(self);
        let searchable = |text: &Option<String>| text.as_deref().map(fold).and_then(indexable_text);
        self.email_search = searchable(&self.email);
        self.city_search = searchable(&self.city);
        self.email_folded.clone_from(&self.email_search);
        self.city_folded.clone_from(&self.city_search);
    }
}

/// The condition on stale rows. It is that of an index, which holds no other rows.
const STALE_NAME: &str = r#""name_folded" <> "name_search""#;
const STALE_CLIENT: &str = r#""name_folded" <> "name_search" OR "email_folded" IS DISTINCT FROM "email_search" OR "city_folded" IS DISTINCT FROM "city_search""#;

/// A table whose rows may be stale.
trait FoldedTable: EntityTrait<Model: FoldTexts + Sync> {
    /// The condition on stale rows.
    const STALE: &'static str;
    /// The column of the index that holds only stale rows. No other index has its order, so a
    /// search in this order uses that one, whatever the database's statistics say.
    const ORDER: Self::Column;

    /// The value of that column.
    fn order(row: &Self::Model) -> i64;
}

macro_rules! folded_tables {
    ($($table:ident: $stale:ident),+ $(,)?) => {
        $(impl FoldedTable for $table::Entity {
            const STALE: &'static str = $stale;
            const ORDER: Self::Column = $table::Column::OrderKey;

            fn order(row: &Self::Model) -> i64 {
                row.order_key
            }
        })+

        /// How many rows are stale.
        async fn count_stale_rows(db: &Reader) -> Result<u64, StoreError> {
            let mut rows = 0;
            $(if find_stale_rows::<$table::Entity>(i64::MIN, 1).one(db).await?.is_some() {
                rows += $table::Entity::find().filter(Expr::cust($stale)).count(db).await?;
            })+
            Ok(rows)
        }

        /// Folds the texts of all stale rows again, a few rows in each transaction. If the process
        /// ends in between, the rest stays stale.
        pub(in crate::store) async fn fold_stale_rows(engine: &Engine) -> Result<(), StoreError> {
            let total = count_stale_rows(&engine.connections().reserved).await?;
            if total == 0 {
                return Ok(());
            }
            let mut progress = Tenths::new(total, BATCH_ROWS);
            $(fold_table::<$table::Entity>(engine, &mut progress).await?;)+
            tracing::info!(rows = progress.done, "folded the names of rows for searches and orders");
            Ok(())
        }
    };
}

folded_tables!(project: STALE_NAME, drawing: STALE_NAME, client: STALE_CLIENT, proposal: STALE_NAME);

/// The stale rows from a value of the order on, at most `limit`.
fn find_stale_rows<E: FoldedTable>(from: i64, limit: u64) -> Select<E> {
    E::find().filter(Expr::cust(E::STALE)).filter(E::ORDER.gte(from)).order_by_asc(E::ORDER).limit(limit)
}

async fn fold_table<E: FoldedTable>(engine: &Engine, progress: &mut Tenths) -> Result<(), StoreError> {
    let mut from = i64::MIN;
    loop {
        let tx = engine.begin().await?;
        let mut rows = find_stale_rows::<E>(from, BATCH_ROWS).all(&tx).await?;
        let Some(last) = rows.last() else { return tx.rollback().await };
        from = E::order(last);
        let mut batch = BulkInsert::default();
        for row in &mut rows {
            row.fold_texts();
            batch.upsert(row);
        }
        batch.write(&tx).await?;
        engine.commit(tx).await?;
        if progress.advance(rows.len() as u64) {
            tracing::info!(
                done = progress.done,
                total = progress.total,
                "folding the names of rows for searches and orders"
            );
        }
        failpoint::abort_if_set("names-folded");
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, QueryTrait, Statement};

    use super::*;
    use crate::store::Store;
    use crate::store::test_support::PostgresCluster;

    /// The plan of the search for stale rows, as one text.
    async fn plan<E: FoldedTable>(store: &Store, explain: &str) -> String {
        let tx = store.begin().await.unwrap();
        // As a reader plans it, over a pooler too.
        tx.execute_unprepared(if explain == "EXPLAIN" { "RESET ALL" } else { "SELECT 1" }).await.unwrap();
        let backend = tx.get_database_backend();
        let search = find_stale_rows::<E>(i64::MIN, BATCH_ROWS).build(backend).to_string();
        let rows = tx.query_all_raw(Statement::from_string(backend, format!("{explain} {search}"))).await.unwrap();
        let column = if explain == "EXPLAIN" { "QUERY PLAN" } else { "detail" };
        let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).unwrap()).collect();
        tx.rollback().await.unwrap();
        lines.join("\n")
    }

    async fn assert_planned(store: &Store, explain: &str, line: &str) {
        for (table, plan) in [
            ("project", plan::<project::Entity>(store, explain).await),
            ("drawing", plan::<drawing::Entity>(store, explain).await),
            ("client", plan::<client::Entity>(store, explain).await),
            ("proposal", plan::<proposal::Entity>(store, explain).await),
        ] {
            assert!(plan.contains(&format!("{line} {table}_stale_texts")), "{table}: {plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{table}: {plan}");
        }
    }

    #[tokio::test]
    async fn search_for_stale_rows_reads_only_those() {
        let (_directory, store) = Store::for_test().await;
        assert_planned(&store, "EXPLAIN QUERY PLAN", "USING INDEX").await;
        store.close().await;
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        let tx = store.begin().await.unwrap();
        // Many rows, and statistics that know them.
        for (table, key) in [
            ("project", "vendor_id"),
            ("drawing", "vendor_id"),
            ("client", "vendor_id"),
            ("proposal", "provider, vendor_id"),
        ] {
            let provider = if table == "proposal" { "'ARCSITE', " } else { "" };
            let times = if table == "drawing" { "" } else { ", created_order, updated_order" };
            let time_values = if table == "drawing" { "" } else { ", n, n" };
            let total = if table == "proposal" { (", total_order", ", n") } else { ("", "") };
            let insert = format!(
                "INSERT INTO {table} ({key}, order_key, first_seen_at, last_event_at{times}{}, name_order, name_folded, name_sort, \
                 name_search) SELECT {provider}CAST(n AS text), n, n, n{time_values}{}, 'roof', 'roof', 'roof', 'roof' FROM \
                 generate_series(1, 2000) AS n",
                total.0, total.1
            );
            tx.execute_unprepared(&insert).await.unwrap();
        }
        store.commit(tx, None).await.unwrap();
        store.reader().execute_unprepared("ANALYZE").await.unwrap();
        assert_planned(&store, "EXPLAIN", "using").await;
        store.close().await;
    }
}
