//! Lookups of several rows at once.
//!
//! Each number of values gives a statement with another text, which the database must prepare and
//! cache. So values are padded to a power of four with nulls, which match nothing.

use std::iter::repeat;

use sea_orm::sea_query::{
    Condition, Expr, IntoIden, JoinType, Nullable, Query, SelectStatement, TableRef, Value, ValueTuple,
};
use sea_orm::{ConnectionTrait, EntityTrait, IdenStatic, Iterable};

use crate::store::engine::dialect::Dialect;

/// The name of the values in a statement that reads them as a table.
const VALUES_TABLE: &str = "lookup";

/// A value: both databases give this name to a column without one.
pub(in crate::store) const LOOKUP_VALUE: (&str, &str) = (VALUES_TABLE, "column1");

/// The second value of a pair.
pub(in crate::store) const LOOKUP_SECOND_VALUE: (&str, &str) = (VALUES_TABLE, "column2");

/// The third value.
pub(in crate::store) const LOOKUP_THIRD_VALUE: (&str, &str) = (VALUES_TABLE, "column3");

/// The name of the row that matches a value.
pub(in crate::store) const MATCH: &str = "found";

/// The values of an IN list, padded.
pub(in crate::store) fn pad_to_power_of_four<T: Nullable + Into<Value>>(
    values: impl ExactSizeIterator<Item = T>,
) -> Vec<Value> {
    let count = next_power_of_four(values.len());
    values.map(Into::into).chain(repeat(T::null())).take(count).collect()
}

/// The smallest power of four that is not less than `count`.
const fn next_power_of_four(count: usize) -> usize {
    let mut power = 1;
    while power < count {
        power *= 4;
    }
    power
}

/// Values as a table, padded, for a statement with a subquery for each value.
pub(in crate::store) fn values_table<const N: usize>(values: &[[Option<&str>; N]]) -> TableRef {
    let count = next_power_of_four(values.len());
    let values = values.iter().copied().chain(repeat([None; N])).take(count);
    let values = values.map(|values| ValueTuple::Many(values.into_iter().map(Value::from).collect()));
    TableRef::ValuesList(values.collect(), VALUES_TABLE.into_iden())
}

/// Selects, for each of the values, these expressions and the row that meets the condition; nulls
/// if no row does, as for the padding. At most one row may meet it.
///
/// On PostgreSQL the statement makes the server look the rows up one by one. For a list or a plain
/// join the server may scan the table instead, which it does if it believes that the table is
/// small.
pub(in crate::store) fn lookup_rows<E: EntityTrait, C: ConnectionTrait>(
    db: &C,
    values: &[[Option<&str>; 2]],
    expressions: impl IntoIterator<Item = Expr>,
    condition: Condition,
) -> SelectStatement {
    let columns = || E::Column::iter().map(|column| (MATCH, column.as_str()));
    let mut rows = Query::select().exprs(expressions).columns(columns()).from(values_table(values)).take();
    match Dialect::of(db.get_database_backend()) {
        Dialect::Sqlite => rows.join_as(JoinType::LeftJoin, E::default().table_ref(), MATCH, condition),
        Dialect::Postgres => {
            let row = Query::select()
                .columns(columns())
                .from_as(E::default().table_ref(), MATCH)
                .cond_where(condition)
                .limit(1)
                .take();
            rows.join_lateral(JoinType::LeftJoin, row, MATCH, Condition::all())
        }
    };
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_padded_with_nulls() {
        let values = ["a", "b", "c", "d", "e"];
        for (count, padded_to) in [(1, 1), (2, 4), (3, 4), (4, 4), (5, 16)] {
            let padded = pad_to_power_of_four(values[..count].iter().copied());
            assert_eq!(padded.len(), padded_to);
            assert_eq!(padded[..count], values[..count].iter().map(|value| Value::from(*value)).collect::<Vec<_>>());
            assert!(padded[count..].iter().all(|value| *value == Value::String(None)));
        }
    }
}
