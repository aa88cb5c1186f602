//! The statements that encode rows, for each database.

use sea_orm::sea_query::{Expr, ExprTrait, Func, FunctionCall, Query, SelectStatement};
use sea_orm::{DbBackend, Statement, Value};

use super::{Columns, ReadRow, column_names};
use crate::store::engine::dialect::Dialect;

/// The name of the table of keys in a select for each of several keys.
pub(in crate::store) const KEYS_TABLE: &str = "keys";

/// The rows of a select as one text: `[[…],[…]]`. It is concatenated as text, so that no function
/// parses another one's output.
pub(in crate::store) fn encode<R: ReadRow>(
    database: Dialect,
    select: SelectStatement,
    columns: Columns,
) -> SelectStatement {
    let values = column_names::<R>(columns).map(|name| {
        if R::BYTES_COLUMNS.contains(&name) { hex_text(database, Expr::col(name)) } else { Expr::col(name) }
    });
    let row = match database {
        Dialect::Postgres => Expr::from(Func::cust("json_build_array").args(values)).cast_as("text"),
        Dialect::Sqlite => Func::cust("json_array").args(values).into(),
    };
    Query::select().expr(json_array_text(database, row)).from_subquery(select, "packed").take()
}

/// The rows that a select returns for each of several keys, as one text, in the order of the keys.
/// The select is a scalar subquery, so that it can refer to the key. SQLite cannot do that in a
/// join (PostgreSQL calls it LATERAL).
pub(in crate::store) fn encode_per_key<R: ReadRow>(
    database: Dialect,
    keys: &[String],
    select: SelectStatement,
    columns: Columns,
) -> SelectStatement {
    const ROWS: &str = "rows";
    let rows = Expr::SubQuery(None, Box::new(encode::<R>(database, select, columns).into()));
    let mut lists = Query::select();
    lists.expr_as(rows, ROWS).from_function(key_rows(database, keys), KEYS_TABLE);
    Query::select().expr(json_array_text(database, Expr::col(ROWS))).from_subquery(lists, "packed").take()
}

/// How many bytes the large columns of a select's rows have. The databases tell the length of a
/// value without reading it.
pub(super) fn size<R: ReadRow>(select: &SelectStatement, columns: Columns) -> SelectStatement {
    let lengths = column_names::<R>(columns).filter(|name| R::LARGE_COLUMNS.contains(name));
    let length = lengths.map(|name| {
        Expr::from(Func::coalesce([Func::cust("octet_length").arg(Expr::col(name)).into(), Expr::cust("0")]))
    });
    let length = length.reduce(ExprTrait::add).unwrap_or_else(|| Expr::cust("0"));
    Query::select().expr(sum(length)).from_subquery(select.clone(), "measured").take()
}

/// The same for the rows that the select returns for each of several keys.
pub(super) fn size_per_key<R: ReadRow>(
    database: Dialect,
    keys: &[String],
    select: &SelectStatement,
    columns: Columns,
) -> SelectStatement {
    let of_key = Expr::SubQuery(None, Box::new(size::<R>(select, columns).into()));
    Query::select().expr(sum(of_key)).from_function(key_rows(database, keys), KEYS_TABLE).take()
}

fn sum(values: Expr) -> Expr {
    Func::coalesce([Expr::from(Func::sum(values)), Expr::cust("0")]).into()
}

/// The text of a select, or null if a size is above a limit. Then the select does not run.
pub(super) fn unless_larger(select: SelectStatement, size: SelectStatement, limit: u64) -> SelectStatement {
    let scalar = |select: SelectStatement| Expr::SubQuery(None, Box::new(select.into()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let is_small = scalar(size).lte(limit);
    Query::select().expr(Expr::case(is_small, scalar(select))).take()
}

/// Keys as a table with one column, `value`.
fn key_rows(database: Dialect, keys: &[String]) -> FunctionCall {
    // A list of texts always serializes.
    let keys = serde_json::to_string(keys).unwrap_or_default();
    match database {
        Dialect::Postgres => Func::cust("json_array_elements_text").arg(Expr::val(keys).cast_as("json")),
        Dialect::Sqlite => Func::cust("json_each").arg(keys),
    }
}

/// `[a,b,…]` from a column of JSON texts, in the order of its rows.
fn json_array_text(database: Dialect, values: Expr) -> Expr {
    let all = match database {
        Dialect::Postgres => Func::cust("string_agg").arg(values).arg(Expr::cust("','")),
        Dialect::Sqlite => Func::cust("group_concat").arg(values),
    };
    let all = Func::coalesce([Expr::expr(all), Expr::cust("''")]);
    Expr::cust_with_exprs(
        match database {
            Dialect::Postgres => "'[' || $1 || ']'",
            Dialect::Sqlite => "'[' || ? || ']'",
        },
        [Expr::expr(all)],
    )
}

/// Bytes as hexadecimal digits; null for null.
fn hex_text(database: Dialect, bytes: Expr) -> Expr {
    match database {
        Dialect::Postgres => Func::cust("encode").arg(bytes).arg(Expr::cust("'hex'")).into(),
        // SQLite's hex() of null is an empty text.
        Dialect::Sqlite => Expr::case(bytes.clone().is_not_null(), Func::cust("hex").arg(bytes)).into(),
    }
}

/// Writes each limit into the statement's text. SQLite plans a statement again for each bound
/// limit, which costs a list a tenth of a millisecond (measured). PostgreSQL's parameters are
/// numbered, and its statements stay as they are.
pub(super) fn with_inlined_limit(mut statement: Statement) -> Statement {
    const LIMIT_PLACEHOLDER: &str = "LIMIT ?";
    if statement.db_backend == DbBackend::Sqlite
        && let Some(values) = &mut statement.values
    {
        while let Some(start) = statement.sql.rfind(LIMIT_PLACEHOLDER)
            // Every question mark in the text is a parameter, because all texts are bound.
            && let index = statement.sql[..start].matches('?').count()
            && let Some(Value::BigUnsigned(Some(limit))) = values.0.get(index)
        {
            statement.sql.replace_range(start..start + LIMIT_PLACEHOLDER.len(), &format!("LIMIT {limit}"));
            values.0.remove(index);
        }
    }
    statement
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;

    use super::*;

    fn inlined(select: &SelectStatement) -> (String, usize) {
        let statement = with_inlined_limit(DbBackend::Sqlite.build(select));
        (statement.sql, statement.values.map_or(0, |values| values.0.len()))
    }

    #[test]
    fn limit_at_any_position_is_inlined() {
        let mut inner = Query::select();
        inner.column("a").from("t").and_where(Expr::col("b").eq("LIMIT ?")).limit(7);
        assert_eq!(inlined(&inner), (r#"SELECT "a" FROM "t" WHERE "b" = ? LIMIT 7"#.to_owned(), 1));
        let mut outer = Query::select();
        outer.column("a").from_subquery(inner, "inner").and_where(Expr::col("a").eq(1));
        let (sql, values) = inlined(&outer);
        assert!(sql.contains("LIMIT 7)") && sql.ends_with(r#""a" = ?"#), "{sql}");
        assert_eq!(values, 2);
    }

    #[test]
    fn statement_without_limit_is_unchanged() {
        let select = Query::select().column("a").from("t").and_where(Expr::col("b").eq(1)).take();
        assert_eq!(inlined(&select), (r#"SELECT "a" FROM "t" WHERE "b" = ?"#.to_owned(), 1));
    }
}
