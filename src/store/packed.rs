//! A whole result as one row of JSON: the database packs it, serde_json unpacks it into typed rows.
//!
//! Measured: with a row a record, the cost of a query is per row (the SQLite driver hands each across a thread and copies
//! each value) and per column name. So any select is wrapped into the database's own JSON array, one array of values a row,
//! in the order of the columns, with only the columns that were asked for.
//!
//! Integers of 64 bits come through exactly: SQLite writes them and serde_json reads them as integers. What JSON cannot
//! hold (bytes) is selected as hexadecimal text.

use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, Value};
use serde::de::{DeserializeSeed, SeqAccess, Visitor};

use super::StoreError;

/// Some of a row's columns, by their places in [`Row::NAMES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Columns(u64);

impl Columns {
    /// No column but those that every row has.
    pub const NONE: Self = Self(0);

    /// The column at one place.
    #[must_use]
    pub const fn at(place: usize) -> Self {
        Self(1 << place)
    }

    /// The columns at all places before this one.
    #[must_use]
    pub const fn first(places: usize) -> Self {
        Self((1 << places) - 1)
    }

    /// Whether the column at a place is among them.
    #[must_use]
    pub const fn has(self, place: usize) -> bool {
        self.0 & (1 << place) != 0
    }
}

impl std::ops::BitOr for Columns {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Self> for Columns {
    fn from_iter<I: IntoIterator<Item = Self>>(columns: I) -> Self {
        columns.into_iter().fold(Self::NONE, |all, one| all | one)
    }
}

/// A typed row, of which some columns may not have been asked for.
pub trait Row: Sized + Send {
    /// The table it is a row of.
    const TABLE: &'static str;
    /// The columns that every row has, then those that can be left out, in the order in which they are packed.
    const KEYS: &'static [&'static str];
    /// The columns that can be left out: their places are what [`Columns`] names.
    const NAMES: &'static [&'static str];
    /// All columns.
    const ALL: Columns;
    /// The columns that hold bytes.
    const BYTES: &'static [&'static str];

    /// Unpacks one row.
    ///
    /// # Errors
    ///
    /// Where a value is not of its column's type.
    fn unpack<'de, A: SeqAccess<'de>>(columns: Columns, values: &mut A) -> Result<Self, A::Error>;
}

/// The names of a row's columns, of those asked for, in the order in which they are packed.
pub(super) fn names<R: Row>(columns: Columns) -> impl Iterator<Item = &'static str> {
    let optional = R::NAMES.iter().enumerate().filter(move |(place, _)| columns.has(*place)).map(|(_, name)| *name);
    R::KEYS.iter().copied().chain(optional)
}

/// Runs a select that gives the columns asked for under their names, and unpacks all its rows from one.
///
/// # Errors
///
/// Where the database cannot be read, or a value is not of its column's type.
pub(super) async fn rows<R: Row>(
    db: &DatabaseConnection,
    select: SelectStatement,
    columns: Columns,
) -> Result<Vec<R>, StoreError> {
    let Some(json) = one_text(db, &pack::<R>(select, columns)).await? else { return Ok(Vec::new()) };
    Rows::<R>::of(columns)
        .deserialize(&mut serde_json::Deserializer::from_str(&json))
        .map_err(|error| unreadable::<R>(&error))
}

/// Runs a select for each of several keys, which it knows as [`KEYS`]`.value`, and unpacks the rows of each, in the order of the
/// keys. (This is SQLite's way to say what PostgreSQL calls LATERAL.)
///
/// # Errors
///
/// Where the database cannot be read, or a value is not of its column's type.
pub(super) async fn rows_of_each<R: Row>(
    db: &DatabaseConnection,
    keys: &[String],
    select: SelectStatement,
    columns: Columns,
) -> Result<Vec<Vec<R>>, StoreError> {
    let statement = pack_of_each::<R>(keys, select, columns);
    let Some(json) = one_text(db, &statement).await? else { return Ok(Vec::new()) };
    RowsOfEach::<R>(Rows::of(columns))
        .deserialize(&mut serde_json::Deserializer::from_str(&json))
        .map_err(|error| unreadable::<R>(&error))
}

/// The name under which the select of [`rows_of_each`] knows its keys.
pub(super) const KEYS: &str = "keys";

fn unreadable<R: Row>(error: &serde_json::Error) -> StoreError {
    StoreError::Unreadable(format!("a row of {}: {error}", R::TABLE))
}

/// A select's rows as one text: `[[…],[…]]`. Put together as text, so that no function reads again what another has written.
fn pack<R: Row>(select: SelectStatement, columns: Columns) -> SelectStatement {
    let row = Func::cust("json_array").args(names::<R>(columns).map(Expr::col));
    Query::select().expr(text_of_all(row.into())).from_subquery(select, "packed").take()
}

/// The statement of [`rows_of_each`].
pub(super) fn pack_of_each<R: Row>(keys: &[String], select: SelectStatement, columns: Columns) -> SelectStatement {
    const ROWS: &str = "rows";
    // Texts alone: there is nothing that JSON cannot write.
    let keys = serde_json::to_string(keys).unwrap_or_default();
    let rows = Expr::SubQuery(None, Box::new(pack::<R>(select, columns).into()));
    let mut of_each = Query::select();
    of_each.expr_as(rows, ROWS).from_function(Func::cust("json_each").arg(keys), KEYS);
    Query::select().expr(text_of_all(Expr::col(ROWS))).from_subquery(of_each, "packed").take()
}

/// `[a,b,…]` of the values of a column of JSON texts.
fn text_of_all(values: Expr) -> Expr {
    let all = Func::coalesce([Expr::expr(Func::cust("group_concat").arg(values)), Expr::val("")]);
    Expr::cust_with_exprs("'[' || ? || ']'", [Expr::expr(all)])
}

/// Runs a statement that gives one text.
async fn one_text(db: &DatabaseConnection, select: &SelectStatement) -> Result<Option<String>, StoreError> {
    metrics::counter!("bidarc_reads_total").increment(1);
    let statement = with_limit_spelled_out(db.get_database_backend().build(select));
    Ok(match db.query_one_raw(statement).await? {
        Some(row) => Some(row.try_get_by_index(0)?),
        None => None,
    })
}

/// Puts the limit into the statement's text. SQLite plans a statement anew whenever a limit is bound to it, which was measured to
/// cost a list a tenth of a millisecond.
fn with_limit_spelled_out(mut statement: Statement) -> Statement {
    const LIMIT: &str = "LIMIT ?";
    if let Some(at) = statement.sql.rfind(LIMIT)
        && let Some(values) = &mut statement.values
        // Every question mark of the text is a parameter: all texts are bound.
        && let place = statement.sql[..at].matches('?').count()
        && let Some(Value::BigUnsigned(Some(limit))) = values.0.get(place)
    {
        statement.sql.replace_range(at..at + LIMIT.len(), &format!("LIMIT {limit}"));
        values.0.remove(place);
    }
    statement
}

/// A select of a row's columns from its table, to be filtered and ordered.
pub(super) fn select<R: Row>(columns: Columns) -> SelectStatement {
    let mut select = Query::select().from(R::TABLE).take();
    for name in names::<R>(columns) {
        if R::BYTES.contains(&name) {
            // SQLite's hex() of nothing is an empty text.
            let written = Expr::case(Expr::col(name).is_not_null(), Func::cust("hex").arg(Expr::col(name)));
            select.expr_as(written, name);
        } else {
            select.column(name);
        }
    }
    select
}

struct Rows<R> {
    columns: Columns,
    row: std::marker::PhantomData<R>,
}

impl<R> Rows<R> {
    const fn of(columns: Columns) -> Self {
        Self { columns, row: std::marker::PhantomData }
    }
}

struct RowsOfEach<R>(Rows<R>);

impl<'de, R: Row> DeserializeSeed<'de> for RowsOfEach<R> {
    type Value = Vec<Vec<R>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: Row> Visitor<'de> for RowsOfEach<R> {
    type Value = Vec<Vec<R>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of lists of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut of_each = Vec::new();
        while let Some(rows) = seq.next_element_seed(Rows::<R>::of(self.0.columns))? {
            of_each.push(rows);
        }
        Ok(of_each)
    }
}

impl<'de, R: Row> DeserializeSeed<'de> for Rows<R> {
    type Value = Vec<R>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Vec<R>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: Row> Visitor<'de> for Rows<R> {
    type Value = Vec<R>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<R>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) =
            seq.next_element_seed(One::<R> { columns: self.columns, row: std::marker::PhantomData })?
        {
            rows.push(row);
        }
        Ok(rows)
    }
}

struct One<R> {
    columns: Columns,
    row: std::marker::PhantomData<R>,
}

impl<'de, R: Row> DeserializeSeed<'de> for One<R> {
    type Value = R;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<R, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: Row> Visitor<'de> for One<R> {
    type Value = R;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a row's values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<R, A::Error> {
        R::unpack(self.columns, &mut values)
    }
}

/// Defines a row: its keys, which every one has, and its columns, which may not have been asked for and are then empty.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $name:ident from $table:literal $(with bytes in $bytes:ident)? {
            keys { $($(#[$key_doc:meta])* $key:ident: $key_type:ty,)+ }
            columns { $($(#[$doc:meta])* $field:ident: $type:ty,)* }
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "a column is named as its field in the API")]
        pub struct $name {
            $($(#[$key_doc])* pub $key: $key_type,)+
            $($(#[$doc])* pub $field: $type,)*
        }

        impl $name {
            $(
                #[doc = concat!("The column `", stringify!($field), "`.")]
                #[expect(non_upper_case_globals, reason = "a column's constant has the column's own name")]
                pub const $field: $crate::store::packed::Columns =
                    $crate::store::packed::Columns::at(places::$name::$field as usize);
            )*
        }

        impl $crate::store::packed::Row for $name {
            const TABLE: &'static str = $table;
            const KEYS: &'static [&'static str] = &[$(stringify!($key)),+];
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];
            const ALL: $crate::store::packed::Columns = $crate::store::packed::Columns::first(Self::NAMES.len());
            const BYTES: &'static [&'static str] = &[$(stringify!($bytes))?];

            fn unpack<'de, A: serde::de::SeqAccess<'de>>(
                columns: $crate::store::packed::Columns,
                values: &mut A,
            ) -> Result<Self, A::Error> {
                use serde::de::Error;
                let missing = || A::Error::custom("a value is missing");
                $(let $key: $key_type = values.next_element()?.ok_or_else(missing)?;)+
                $(
                    let $field: $type = if columns.has(places::$name::$field as usize) {
                        values.next_element()?.ok_or_else(missing)?
                    } else {
                        <$type>::default()
                    };
                )*
                Ok(Self { $($key,)+ $($field,)* })
            }
        }

        mod places {
            #[expect(non_camel_case_types, reason = "a column's place has the column's own name")]
            pub(super) enum $name { $($field),* }
        }
    };
}

pub(super) use row;

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;

    use super::*;

    fn spelled_out(select: &SelectStatement) -> (String, usize) {
        let statement = with_limit_spelled_out(DbBackend::Sqlite.build(select));
        (statement.sql, statement.values.map_or(0, |values| values.0.len()))
    }

    #[test]
    fn a_limit_is_no_parameter_wherever_it_stands() {
        let mut inner = Query::select();
        inner.column("a").from("t").and_where(Expr::col("b").eq("LIMIT ?")).limit(7);
        assert_eq!(spelled_out(&inner), (r#"SELECT "a" FROM "t" WHERE "b" = ? LIMIT 7"#.to_owned(), 1));
        let mut outer = Query::select();
        outer.column("a").from_subquery(inner, "inner").and_where(Expr::col("a").eq(1));
        let (sql, values) = spelled_out(&outer);
        assert!(sql.contains("LIMIT 7)") && sql.ends_with(r#""a" = ?"#), "{sql}");
        assert_eq!(values, 2);
    }

    #[test]
    fn a_statement_without_a_limit_stays_as_it_is() {
        let select = Query::select().column("a").from("t").and_where(Expr::col("b").eq(1)).take();
        assert_eq!(spelled_out(&select), (r#"SELECT "a" FROM "t" WHERE "b" = ?"#.to_owned(), 1));
    }
}
