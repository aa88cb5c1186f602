//! Numbers over proposals, all of one snapshot of the database.
//!
//! The column `stats_key` names the group of a proposal: its vendor, its status and its currency.
//! There are few of them.

mod sql;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde::de::DeserializeOwned;

use sql::GROUPS;

use crate::clock::Time;
use crate::domain::{Bucket, ProposalStatus, Provider, Seq};
use crate::metrics::READS;
use crate::store::log::HEAD_QUERY;
use crate::store::sql::convert::to_micros;
use crate::store::{Reader, Snapshot, StoreError};

/// Which proposals count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsFilter {
    /// Created at this time or later.
    pub from: Option<Time>,
    /// Created before this time.
    pub before: Option<Time>,
    /// Of one of these vendors.
    pub providers: Option<Vec<Provider>>,
}

/// The proposals of a vendor that have the same status and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The vendor.
    pub provider: Provider,
    /// The status; none if there is none, or if it is not documented.
    pub status: Option<ProposalStatus>,
    /// The currency's code; none if the vendor names none of three letters.
    pub currency: Option<String>,
    /// Its number in the snapshot's list of groups.
    number: i64,
}

/// The proposals of a group that were created in a bucket of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupInBucket {
    /// The group.
    pub group: Group,
    /// The index of the bucket.
    pub bucket: usize,
    /// How many were created.
    pub created: i64,
    /// How many of them were sent.
    pub sent: i64,
    /// How many of them were viewed.
    pub viewed: i64,
    /// The sum of their totals, in ten-thousandths; none if none has a total.
    pub total: Option<i128>,
}

/// The payments on the proposals of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPaid {
    /// The group.
    pub group: Group,
    /// Their sum, in ten-thousandths.
    pub paid: i128,
}

/// A snapshot of the proposals that count.
#[derive(Debug)]
pub struct ProposalSnapshot {
    db: Snapshot,
    /// The groups of the vendors that count.
    groups: Vec<Group>,
    /// The range of the time of creation.
    range: (i64, i64),
    is_bounded: bool,
    counts_views: bool,
    head: Seq,
    span: Option<(i64, i64)>,
    has_odd_creations: bool,
    /// Whether the totals are so small that no sum of them overflows in the database.
    has_small_totals: bool,
}

/// Totals up to this many ten-thousandths are small: a hundred million of them still fit into 64
/// bits.
const SMALL_TOTAL: i64 = 90_000_000_000;

/// The second day of 1970, in microseconds. A time before it is an empty one of some program.
const PLAUSIBLE_FROM: i64 = 24 * 3600 * 1_000_000;

/// The sum that [`sql::sum_parts`] wrote.
fn sum_of_parts(high: i64, low: i64) -> i128 {
    (i128::from(high) << 32) + i128::from(low)
}

impl ProposalSnapshot {
    /// Takes a snapshot.
    pub async fn take(db: &Reader, filter: &StatsFilter) -> Result<Self, StoreError> {
        let mut snapshot = Self {
            db: db.snapshot().await?,
            groups: Vec::new(),
            // No column holds the least or the greatest number.
            range: (filter.from.map_or(-i64::MAX, to_micros), filter.before.map_or(i64::MAX, to_micros)),
            is_bounded: filter.from.is_some() || filter.before.is_some(),
            counts_views: true,
            head: Seq(0),
            span: None,
            has_odd_creations: false,
            has_small_totals: false,
        };
        snapshot.read_ends(filter).await?;
        let counts = |provider: Provider| filter.providers.as_ref().is_none_or(|all| all.contains(&provider));
        snapshot.counts_views = counts(Provider::Bidsketch);
        let statement = snapshot.statement(r#"SELECT "n", "key" FROM "k" WHERE "key" IS NOT NULL ORDER BY "n""#);
        metrics::counter!(READS).increment(1);
        for row in snapshot.db.query_all_raw(statement).await? {
            let (number, key): (i64, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            // A node of the version before leaves it empty. The row is counted within seconds.
            if !key.is_empty() {
                snapshot.groups.push(read_group(&key, number)?);
            }
        }
        snapshot.groups.retain(|group| counts(group.provider));
        Ok(snapshot)
    }

    /// Reads the ends of indexes: the head of the log, the first and the last creation with and
    /// without odd times, and the smallest and the largest total.
    async fn read_ends(&mut self, filter: &StatsFilter) -> Result<(), StoreError> {
        let end = |column: &str, condition: &str, order: &str| {
            format!(r#"(SELECT "{column}" FROM "proposal" WHERE {condition} ORDER BY "{column}" {order} LIMIT 1)"#)
        };
        let (in_range, known) = (self.range_condition(), format!(r#""total_order" > {}"#, -i64::MAX));
        // A client may ask for odd times, but gets none that it does not name.
        let mut plausible = in_range.clone();
        if filter.from.is_none() {
            plausible.push_str(&format!(r#" AND "created_order" >= {PLAUSIBLE_FROM}"#));
        }
        if filter.before.is_none() {
            plausible.push_str(
                r#" AND "created_order" <= (SELECT "last_event_at" FROM "proposal" ORDER BY "last_event_at" DESC LIMIT 1)"#,
            );
        }
        let ends = [
            end("created_order", &plausible, "ASC"),
            end("created_order", &plausible, "DESC"),
            end("created_order", &in_range, "ASC"),
            end("created_order", &in_range, "DESC"),
            end("total_order", &known, "ASC"),
            end("total_order", &known, "DESC"),
        ];
        let sql = format!("SELECT ({HEAD_QUERY}), {}", ends.join(", "));
        metrics::counter!(READS).increment(1);
        let Some(row) = self.db.query_one_raw(Statement::from_string(self.backend(), sql)).await? else {
            return Ok(());
        };
        let number = |index: usize| row.try_get_by_index::<Option<i64>>(index);
        self.head = Seq(number(0)?.unwrap_or_default());
        self.span = number(1)?.zip(number(2)?);
        self.has_odd_creations = self.span != number(3)?.zip(number(4)?);
        let is_small = |total: Option<i64>| total.is_none_or(|total| (-SMALL_TOTAL..=SMALL_TOTAL).contains(&total));
        self.has_small_totals = is_small(number(5)?) && is_small(number(6)?);
        Ok(())
    }

    /// The head of the log.
    #[must_use]
    pub const fn head(&self) -> Seq {
        self.head
    }

    /// When the first and the last of the proposals of all vendors were created, in microseconds;
    /// none if there are none. Where the filter has no bound, a creation before 1970 or after the
    /// newest event does not count.
    #[must_use]
    pub const fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// Whether proposals count that were created outside of the span.
    #[must_use]
    pub const fn has_odd_creations(&self) -> bool {
        self.has_odd_creations
    }

    /// The proposals of each group that were created in each of these buckets. Groups without any
    /// are left out.
    pub async fn in_buckets(&self, buckets: &[Bucket]) -> Result<Vec<GroupInBucket>, StoreError> {
        if buckets.is_empty() {
            return Ok(Vec::new());
        }
        let cells: Vec<[i64; 8]> = self.read_list(&self.buckets_sql(buckets)).await?;
        let read = |[number, bucket, created, sent, viewed, with_total, high, low]: [i64; 8]| {
            let (group, bucket) = (self.group(number)?.clone(), usize::try_from(bucket).ok()?);
            let total = (with_total > 0).then(|| sum_of_parts(high, low));
            Some(GroupInBucket { group, bucket, created, sent, viewed, total })
        };
        Ok(cells.into_iter().filter_map(read).collect())
    }

    /// All proposals of each group, as one bucket.
    pub async fn in_whole_range(&self) -> Result<Vec<GroupInBucket>, StoreError> {
        let (from, before) = self.range;
        self.in_buckets(&[Bucket { start: from, from, before }]).await
    }

    /// The payments on the proposals of each group that has any.
    pub async fn paid(&self) -> Result<Vec<GroupPaid>, StoreError> {
        let sums: Vec<[i64; 4]> = self.read_list(&self.paid_sql()).await?;
        let read = |[number, payments, high, low]: [i64; 4]| {
            let group = self.group(number).filter(|_| payments > 0)?.clone();
            Some(GroupPaid { group, paid: sum_of_parts(high, low) })
        };
        Ok(sums.into_iter().filter_map(read).collect())
    }

    /// How many seconds each accepted proposal took from its sending to its acceptance, in no
    /// order. Those without both times are left out.
    pub async fn seconds_to_accept(&self) -> Result<Vec<i64>, StoreError> {
        self.read_list(&self.seconds_sql()).await
    }

    /// The slots in which the proposals were viewed, each with how many views there were.
    pub async fn views(&self) -> Result<Vec<(i64, i64)>, StoreError> {
        if !self.counts_views {
            return Ok(Vec::new());
        }
        let numbers: Vec<i64> = self.read_list(&self.views_sql()).await?;
        Ok(numbers.as_chunks::<2>().0.iter().map(|[slot, views]| (*slot, *views)).collect())
    }

    /// Ends the snapshot.
    pub async fn end(self) -> Result<(), StoreError> {
        self.db.rollback().await
    }

    fn group(&self, number: i64) -> Option<&Group> {
        self.groups.iter().find(|group| group.number == number)
    }

    fn backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    fn statement(&self, select: &str) -> Statement {
        Statement::from_string(self.backend(), format!("{GROUPS} {select}"))
    }

    /// Runs a statement that gives one list.
    async fn read_list<T: DeserializeOwned>(&self, sql: &str) -> Result<Vec<T>, StoreError> {
        metrics::counter!(READS).increment(1);
        let Some(row) = self.db.query_one_raw(Statement::from_string(self.backend(), sql)).await? else {
            return Ok(Vec::new());
        };
        let list: String = row.try_get_by_index(0)?;
        serde_json::from_str(&list)
            .map_err(|error| StoreError::Unreadable(format!("the numbers of proposals: {error}")))
    }
}

/// Reads the name of a group: `BIDSKETCH ACCEPTED USD`.
fn read_group(key: &str, number: i64) -> Result<Group, StoreError> {
    let mut words = key.splitn(3, ' ');
    let mut next = || words.next().unwrap_or_default();
    let (provider, status, currency) = (next(), next(), next());
    let unreadable = || StoreError::Unreadable(format!("the group {key:?} of proposals"));
    Ok(Group {
        provider: Provider::from_name(provider).ok_or_else(unreadable)?,
        status: ProposalStatus::from_name(status),
        currency: (!currency.is_empty()).then(|| currency.to_owned()),
        number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::test_support::PostgresCluster;

    /// Fills the tables with proposals and views.
    async fn fill(store: &Store, numbers: &str) {
        let tx = store.begin().await.unwrap();
        let proposals = format!(
            "INSERT INTO proposal (description, stats_key, provider, vendor_id, status, currency, total, paid, sent_at, decided_at, order_key, \
             first_seen_at, last_event_at, created_order, updated_order, total_order, name_order, name_folded) \
             SELECT '{}', CASE n % 2 WHEN 0 THEN 'ARCSITE ACCEPTED USD' ELSE 'BIDSKETCH PENDING ' END, CASE n % 2 WHEN 0 THEN 'ARCSITE' ELSE 'BIDSKETCH' END, CAST(n AS text), \
             CASE n % 3 WHEN 0 THEN 'ACCEPTED' ELSE 'PENDING' END, 'USD', 9223372036854775807, n % 5, n, n, n, n, n, n, n, 9223372036854775807, '', '' \
             FROM {numbers}",
            "x".repeat(500)
        );
        tx.execute_unprepared(&proposals).await.unwrap();
        let events = format!(
            "INSERT INTO event (seq, provider, kind, vendor_type, subject, identity, received_at, order_key, \
             proposal_vendor_id, body, view_slot, is_counted) SELECT n, 'BIDSKETCH', 'PROPOSAL_VIEWED', 'x', 'x', \
             CAST(n AS text), n, n, CAST(n AS text), '', n, TRUE FROM {numbers}"
        );
        tx.execute_unprepared(&events).await.unwrap();
        store.commit(tx, None).await.unwrap();
    }

    /// The plan of each statement, as one text.
    async fn plans(store: &Store, explain: &str) -> Vec<(&'static str, String)> {
        let all = ProposalSnapshot::take(store.reader(), &StatsFilter::default()).await.unwrap();
        let bucket = Bucket { start: 0, from: 0, before: 1000 };
        let statements = [
            ("buckets", all.buckets_sql(&[bucket])),
            ("paid", all.paid_sql()),
            ("seconds", all.seconds_sql()),
            ("views", all.views_sql()),
        ];
        let column = if explain == "EXPLAIN" { "QUERY PLAN" } else { "detail" };
        let mut plans = Vec::new();
        for (name, sql) in statements {
            let statement = Statement::from_string(all.backend(), format!("{explain} {sql}"));
            let rows = all.db.query_all_raw(statement).await.unwrap();
            let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).unwrap()).collect();
            plans.push((name, lines.join("\n")));
        }
        all.end().await.unwrap();
        plans
    }

    async fn assert_exact(store: &Store) {
        let all = ProposalSnapshot::take(store.reader(), &StatsFilter::default()).await.unwrap();
        let cells = all.in_whole_range().await.unwrap();
        assert_eq!(cells.iter().map(|cell| cell.created).sum::<i64>(), 5000);
        let total: i128 = cells.iter().filter_map(|cell| cell.total).sum();
        assert_eq!(total, i128::from(i64::MAX) * 5000, "no sum overflows");
        let paid: i128 = all.paid().await.unwrap().iter().map(|group| group.paid).sum();
        assert_eq!(paid, 1000 * (1 + 2 + 3 + 4));
        assert_eq!(all.views().await.unwrap().len(), 5000);
        all.end().await.unwrap();
    }

    /// No statement reads a row of the wide tables, except to find the views of a range.
    #[tokio::test]
    async fn every_number_is_read_from_an_index_alone() {
        let (_directory, store) = Store::for_test().await;
        fill(
            &store,
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) SELECT n FROM s)",
        )
        .await;
        for (name, plan) in plans(&store, "EXPLAIN QUERY PLAN").await {
            let index = match name {
                "paid" => "USING COVERING INDEX proposal_paid",
                "views" => "USING COVERING INDEX event_view_slot",
                _ => "USING COVERING INDEX proposal_stats (stats_key=? AND created_order>? AND created_order<?)",
            };
            assert!(plan.contains(index), "{name}: {plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("AUTOMATIC"), "{name}: {plan}");
        }
        assert_exact(&store).await;
        store.close().await;
        let cluster = PostgresCluster::start();
        let store = cluster.new_store().await;
        fill(&store, "generate_series(1, 5000) AS n").await;
        store.reader().execute_unprepared("VACUUM ANALYZE").await.unwrap();
        for (name, plan) in plans(&store, "EXPLAIN").await {
            let index = match name {
                "paid" => "Index Only Scan using proposal_paid",
                "views" => "Index Only Scan using event_view_slot",
                _ => "Index Only Scan using proposal_stats",
            };
            assert!(plan.contains(index), "{name}: {plan}");
            assert!(!plan.contains("Seq Scan on"), "{name}: {plan}");
        }
        assert_exact(&store).await;
        store.close().await;
    }
}
