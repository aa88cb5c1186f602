//! The statements. Each reads one index from end to end, group by group, and no row of the table.

use super::{Group, ProposalSnapshot};
use crate::domain::{Bucket, ProposalStatus, Provider};
use crate::store::engine::dialect::Dialect;

/// The groups as a table `k`: their numbers and names. Each is found along the index.
pub(super) const GROUPS: &str = r#"WITH RECURSIVE "k" ("n", "key") AS (
    SELECT CAST(0 AS bigint), (SELECT "stats_key" FROM "proposal" ORDER BY "stats_key" LIMIT 1)
    UNION ALL
    SELECT "n" + 1, (SELECT "stats_key" FROM "proposal" WHERE "stats_key" > "k"."key" ORDER BY "stats_key" LIMIT 1)
    FROM "k" WHERE "key" IS NOT NULL)"#;

/// The sum of a column, written in two parts that cannot overflow: `2^32 * high + low`.
fn sum_parts(column: &str) -> String {
    format!(r#"COALESCE(SUM("{column}" >> 32), 0) || ',' || COALESCE(SUM("{column}" & 4294967295), 0)"#)
}

impl ProposalSnapshot {
    pub(super) fn paid_sql(&self) -> String {
        // The condition is that of the index.
        format!(
            r#"{GROUPS} SELECT {} FROM (SELECT (SELECT '[' || "k"."n" || ',' || COUNT(*) || ',' || {} || ']' FROM "proposal"
            WHERE "stats_key" = "k"."key" AND {} AND "paid" <> 0) AS "cell" FROM "k" WHERE "k"."n" IN ({})) AS "cells""#,
            self.json_list(r#""cell""#),
            sum_parts("paid"),
            self.range_condition(),
            self.numbers(|_| true),
        )
    }

    pub(super) fn buckets_sql(&self, buckets: &[Bucket]) -> String {
        let row = |(at, bucket): (usize, &Bucket)| format!("({at}, {}, {})", bucket.from, bucket.before);
        let rows: Vec<String> = buckets.iter().enumerate().map(row).collect();
        let total = if self.has_small_totals {
            r#"0 || ',' || COALESCE(SUM("total"), 0)"#.to_owned()
        } else {
            sum_parts("total")
        };
        let cell = format!(
            r#"SELECT CASE WHEN COUNT(*) > 0 THEN '[' || "k"."n" || ',' || "b"."at" || ',' || COUNT(*) || ',' || COUNT("sent_at")
            || ',' || COUNT("first_viewed_at") || ',' || COUNT("total") || ',' || {total} || ']' END FROM "proposal"
            WHERE "stats_key" = "k"."key" AND "created_order" >= "b"."from" AND "created_order" < "b"."before""#
        );
        format!(
            r#"{GROUPS}, "b" ("at", "from", "before") AS (VALUES {}) SELECT {} FROM (SELECT ({cell}) AS "cell"
            FROM "k" CROSS JOIN "b" WHERE "k"."n" IN ({})) AS "cells""#,
            rows.join(", "),
            self.json_list(r#""cell""#),
            self.numbers(|_| true),
        )
    }

    pub(super) fn seconds_sql(&self) -> String {
        format!(
            r#"{GROUPS} SELECT {} FROM "k" CROSS JOIN "proposal" WHERE "k"."n" IN ({}) AND "stats_key" = "k"."key" AND {}
            AND "sent_at" IS NOT NULL AND "decided_at" IS NOT NULL"#,
            self.json_list(r#"CAST(("decided_at" - "sent_at") / 1000000 AS text)"#),
            self.numbers(|group| group.status == Some(ProposalStatus::Accepted)),
            self.range_condition(),
        )
    }

    pub(super) fn views_sql(&self) -> String {
        let list = self.json_list(r#""view_slot" || ',' || "views""#);
        if !self.is_bounded {
            return format!(
                r#"SELECT {list} FROM (SELECT "view_slot", COUNT(*) AS "views" FROM "event" WHERE "view_slot" IS NOT NULL
                GROUP BY "view_slot") AS "slots""#
            );
        }
        format!(
            r#"{GROUPS} SELECT {list} FROM (SELECT "event"."view_slot", COUNT(*) AS "views"
            FROM "k" CROSS JOIN "proposal" CROSS JOIN "event" WHERE "k"."n" IN ({}) AND "stats_key" = "k"."key" AND {}
            AND "first_viewed_at" IS NOT NULL AND "event"."proposal_vendor_id" = "proposal"."vendor_id"
            AND "event"."view_slot" IS NOT NULL GROUP BY "event"."view_slot") AS "slots""#,
            self.numbers(|group| group.provider == Provider::Bidsketch),
            self.range_condition(),
        )
    }

    pub(super) fn range_condition(&self) -> String {
        let (from, before) = self.range;
        format!(r#""created_order" >= {from} AND "created_order" < {before}"#)
    }

    /// The numbers of some groups, for a list in a statement; none has the number -1.
    fn numbers(&self, is_meant: impl Fn(&Group) -> bool) -> String {
        let meant = self.groups.iter().filter(|group| is_meant(group)).map(|group| group.number.to_string());
        let meant: Vec<String> = meant.collect();
        if meant.is_empty() { "-1".to_owned() } else { meant.join(", ") }
    }

    /// A JSON list, as text, of items that are text; nulls are left out.
    fn json_list(&self, item: &str) -> String {
        let all = match Dialect::of(self.backend()) {
            Dialect::Postgres => format!("string_agg({item}, ',')"),
            Dialect::Sqlite => format!("group_concat({item}, ',')"),
        };
        format!("COALESCE('[' || {all} || ']', '[]')")
    }
}
