//! The search for projects, clients, proposals and drawings by one text.
//!
//! Ids, job numbers, e-mail addresses and the beginnings of names are looked up along an index. A
//! text inside a name is looked for in the rows of the newest events, of which each table gives no
//! more than [`SCANNED_ROWS_MAX`].

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Order, Query, SelectStatement, UnionType};

use super::filter::like;
use crate::domain::text::replace_nul;
use crate::domain::{Provider, VendorId, fold};
use crate::metrics::READS;
use crate::store::{Reader, StoreError};

/// How many rows of a table that begin with the text are read along an index. If there are more,
/// the newest are looked for instead.
const INDEXED_ROWS_MAX: u64 = 200;

/// In how many rows of a table a text is looked for, those with the newest events first.
pub const SCANNED_ROWS_MAX: u64 = 50_000;

/// How a row matches the text; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Its vendor id, job number or e-mail address is the text.
    Exact,
    /// Its name, job number or e-mail address begins with the text.
    Beginning,
    /// Its name contains the text.
    Inside,
}

/// A row that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Found {
    /// A project.
    Project(VendorId),
    /// A client.
    Client(VendorId),
    /// A proposal.
    Proposal(Provider, VendorId),
    /// A drawing.
    Drawing(VendorId),
}

/// A table that is searched.
#[derive(Clone, Copy, Debug)]
struct Searched {
    table: &'static str,
    /// The columns of its key.
    key: &'static [&'static str],
    /// The expression of its job number or e-mail address, as its index has it.
    code: Option<&'static str>,
}

const TABLES: [Searched; 4] = [
    Searched { table: "project", key: &["vendor_id"], code: Some(r#"LOWER("job_number_key")"#) },
    Searched { table: "client", key: &["vendor_id"], code: Some(r#""email_search""#) },
    Searched {
        table: "proposal",
        key: &["provider", "vendor_id"],
        code: Some(r#"LOWER(SUBSTR("customer_email", 1, 254))"#),
    },
    Searched { table: "drawing", key: &["vendor_id"], code: None },
];

/// A text as it is compared.
#[derive(Debug)]
struct Text {
    /// With ids.
    id: String,
    /// With names and addresses of clients.
    folded: String,
    /// With job numbers and addresses of proposals, which the database compares without the case of
    /// A to Z.
    codes: Vec<String>,
}

impl Text {
    fn new(text: &str) -> Self {
        let id = replace_nul(text.to_owned());
        let folded = fold(&id);
        let mut codes = vec![folded.clone(), id.to_ascii_lowercase()];
        codes.dedup();
        Self { id, folded, codes }
    }
}

/// A row that matches, and when its newest event arrived.
#[derive(Debug)]
struct Match {
    found: Found,
    rank: Rank,
    last_event_at: i64,
}

/// Finds the rows that match a text, at most `limit`: the best rank first, then those with the
/// newest events.
pub async fn search(db: &Reader, text: &str, limit: usize) -> Result<Vec<Found>, StoreError> {
    let text = Text::new(text);
    let rows_max = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut matches = Matches::default();
    let indexed = TABLES.iter().flat_map(|table| table.indexed_parts(&text)).collect();
    let counts = matches.fetch(db, indexed).await?;
    let mut scanned = Vec::new();
    for table in &TABLES {
        // There may be more, and those with the newest events may be missing.
        if counts.get(table.table).is_some_and(|count| *count >= INDEXED_ROWS_MAX) {
            scanned.extend([Rank::Exact, Rank::Beginning].map(|rank| table.scan(rank, &text, rows_max)));
        }
        if matches.0.len() < limit {
            scanned.push(table.scan(Rank::Inside, &text, rows_max));
        }
    }
    if !scanned.is_empty() {
        matches.fetch(db, scanned).await?;
    }
    Ok(matches.best(limit))
}

impl Searched {
    /// The statements that find ids, codes and beginnings along an index.
    fn indexed_parts(&self, text: &Text) -> Vec<SelectStatement> {
        let mut parts = vec![self.part(Rank::Exact, self.has_id(text), INDEXED_ROWS_MAX)];
        if let Some(code) = self.code {
            let is_code = Expr::cust(code).is_in(text.codes.iter().map(String::as_str));
            parts.push(self.part(Rank::Exact, is_code, INDEXED_ROWS_MAX));
            for beginning in &text.codes {
                parts.push(self.part(Rank::Beginning, begins_with(Expr::cust(code), beginning), INDEXED_ROWS_MAX));
            }
        }
        parts.push(self.part(Rank::Beginning, begins_with(Expr::col("name_sort"), &text.folded), INDEXED_ROWS_MAX));
        parts
    }

    fn has_id(&self, text: &Text) -> Condition {
        let is_id = Condition::all().add(Expr::col("vendor_id").eq(text.id.as_str()));
        // The key begins with the vendor.
        let is_keyed_by_vendor = self.key.contains(&"provider");
        is_id.add_option(
            is_keyed_by_vendor.then(|| Expr::col("provider").is_in(Provider::ALL.iter().map(|one| one.as_str()))),
        )
    }

    /// The statement that looks through the rows with the newest events, newest first.
    fn scan(&self, rank: Rank, text: &Text, rows_max: u64) -> SelectStatement {
        let codes =
            || self.code.into_iter().flat_map(|code| text.codes.iter().map(move |text| (Expr::cust(code), text)));
        let name = |before| Expr::col("name_search").like(like(before, &text.folded));
        let condition = match rank {
            Rank::Exact => codes()
                .fold(Condition::any().add(self.has_id(text)), |any, (code, text)| any.add(code.eq(text.as_str()))),
            Rank::Beginning => {
                codes().fold(Condition::any().add(name("")), |any, (code, text)| any.add(code.like(like("", text))))
            }
            Rank::Inside => Condition::any().add(name("%")),
        };
        // The oldest event that is looked at. An index gives it without a look at the rows.
        let oldest = format!(
            r#""last_event_at" >= COALESCE((SELECT "last_event_at" FROM "{}" ORDER BY "last_event_at" DESC LIMIT 1 OFFSET {SCANNED_ROWS_MAX}), 0)"#,
            self.table
        );
        let mut scan = self.rows(rank).cond_where(condition).and_where(Expr::cust(oldest)).limit(rows_max).take();
        for column in ["last_event_at"].iter().chain(self.key) {
            scan.order_by(*column, Order::Desc);
        }
        limited(scan)
    }

    fn part(&self, rank: Rank, condition: impl sea_orm::sea_query::IntoCondition, rows_max: u64) -> SelectStatement {
        limited(self.rows(rank).cond_where(condition).limit(rows_max).take())
    }

    fn rows(&self, rank: Rank) -> SelectStatement {
        let provider = if self.key.contains(&"provider") { Expr::col("provider") } else { Expr::cust("''") };
        Query::select()
            .expr_as(Expr::cust(format!("'{}'", self.table)), "kind")
            .expr_as(provider, "vendor")
            .column("vendor_id")
            .column("last_event_at")
            .expr_as(Expr::cust((rank as i32).to_string()), "rank")
            .from(self.table)
            .take()
    }
}

/// Every statement that a search for a text may run, each with a name, for the tests of plans.
#[cfg(test)]
pub(super) fn statements(text: &str) -> Vec<(String, SelectStatement)> {
    let text = Text::new(text);
    let parts = TABLES.iter().flat_map(|table| {
        let mut parts = table.indexed_parts(&text);
        parts.extend([Rank::Exact, Rank::Beginning, Rank::Inside].map(|rank| table.scan(rank, &text, 10)));
        parts.into_iter().enumerate().map(|(at, part)| (format!("part {at} of {}", table.table), part))
    });
    parts.collect()
}

/// A statement with a limit as a part of a union, where a database takes none.
fn limited(select: SelectStatement) -> SelectStatement {
    Query::select()
        .columns(["kind", "vendor", "vendor_id", "last_event_at", "rank"])
        .from_subquery(select, "part")
        .take()
}

/// A range of an index: a text that begins with another is not smaller, and smaller than that with
/// the greatest character after it.
fn begins_with(column: Expr, beginning: &str) -> Condition {
    Condition::all().add(column.clone().gte(beginning)).add(column.lt(format!("{beginning}{}", char::MAX)))
}

/// The rows found so far, each with its best rank.
#[derive(Debug, Default)]
struct Matches(HashMap<Found, (Rank, i64)>);

impl Matches {
    /// Adds the rows of these statements. Returns how many rows of each table came.
    async fn fetch(
        &mut self,
        db: &Reader,
        parts: Vec<SelectStatement>,
    ) -> Result<HashMap<&'static str, u64>, StoreError> {
        let mut parts = parts.into_iter();
        let Some(mut statement) = parts.next() else { return Ok(HashMap::new()) };
        for part in parts {
            statement.union(UnionType::All, part);
        }
        metrics::counter!(READS).increment(1);
        let rows = db.query_all(&statement).await?;
        if let Some(budget) = db.budget() {
            budget.take_rows(rows.len())?;
        }
        let mut counts = HashMap::new();
        for row in &rows {
            let Match { found, rank, last_event_at } = read_match(row)?;
            *counts.entry(table_of(&found)).or_default() += 1;
            match self.0.entry(found) {
                Entry::Occupied(mut known) if known.get().0 > rank => {
                    known.insert((rank, last_event_at));
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(new) => {
                    new.insert((rank, last_event_at));
                }
            }
        }
        Ok(counts)
    }

    fn best(self, limit: usize) -> Vec<Found> {
        let mut matches: Vec<(Found, (Rank, i64))> = self.0.into_iter().collect();
        matches.sort_by_key(|(found, (rank, last_event_at))| {
            (*rank, Reverse(*last_event_at), table_order(found), Reverse(found.clone()))
        });
        matches.into_iter().take(limit).map(|(found, _)| found).collect()
    }
}

fn table_of(found: &Found) -> &'static str {
    TABLES[table_order(found)].table
}

/// The place of a table in [`TABLES`].
const fn table_order(found: &Found) -> usize {
    match found {
        Found::Project(_) => 0,
        Found::Client(_) => 1,
        Found::Proposal(..) => 2,
        Found::Drawing(_) => 3,
    }
}

fn read_match(row: &sea_orm::QueryResult) -> Result<Match, StoreError> {
    let unreadable = |what: &str| StoreError::Unreadable(format!("the {what} of a row that was searched"));
    let kind: String = row.try_get_by_index(0)?;
    let provider: String = row.try_get_by_index(1)?;
    let id = VendorId::from_stored(row.try_get_by_index(2)?);
    let found = match kind.as_str() {
        "project" => Found::Project(id),
        "client" => Found::Client(id),
        "proposal" => Found::Proposal(Provider::from_name(&provider).ok_or_else(|| unreadable("provider"))?, id),
        "drawing" => Found::Drawing(id),
        _ => return Err(unreadable("table")),
    };
    let rank = match row.try_get_by_index::<i32>(4)? {
        0 => Rank::Exact,
        1 => Rank::Beginning,
        _ => Rank::Inside,
    };
    Ok(Match { found, rank, last_event_at: row.try_get_by_index(3)? })
}
