//! Looking several things up at once.
//!
//! Each number of values makes another text of SQL, which the database has to prepare and keep. So their number is a power of four, filled
//! up by nulls, which find nothing.

use std::iter::repeat;

use sea_orm::sea_query::{
    Condition, Expr, IntoIden, JoinType, Nullable, Query, SelectStatement, TableRef, Value, ValueTuple,
};
use sea_orm::{ConnectionTrait, EntityTrait, IdenStatic, Iterable};

use crate::store::engine::dialect::Dialect;

/// What the values are called where they stand for a table.
const VALUES_TABLE: &str = "wanted";

/// Each of them: the name that both databases give to a column that has none.
pub(in crate::store) const LOOKUP_VALUE: (&str, &str) = (VALUES_TABLE, "column1");

/// A second one that goes with each.
pub(in crate::store) const LOOKUP_SECOND_VALUE: (&str, &str) = (VALUES_TABLE, "column2");

/// What a row is called that is found for a value.
pub(in crate::store) const MATCH: &str = "found";

/// Values for a list of which a row is to have one.
pub(in crate::store) fn pad_to_power_of_four<T: Nullable + Into<Value>>(
    values: impl ExactSizeIterator<Item = T>,
) -> Vec<Value> {
    let count = next_power_of_four(values.len());
    values.map(Into::into).chain(repeat(T::null())).take(count).collect()
}

/// The least power of four that is not less.
const fn next_power_of_four(count: usize) -> usize {
    let mut power = 1;
    while power < count {
        power *= 4;
    }
    power
}

/// Values as a table, for each of which a select of its own finds something.
pub(in crate::store) fn values_table<const N: usize>(values: &[[Option<&str>; N]]) -> TableRef {
    let count = next_power_of_four(values.len());
    let values = values.iter().copied().chain(repeat([None; N])).take(count);
    let values = values.map(|values| ValueTuple::Many(values.into_iter().map(Value::from).collect()));
    TableRef::ValuesList(values.collect(), VALUES_TABLE.into_iden())
}

/// For each of the values these expressions, and the row of a table that meets the condition with it; nulls where there is none, and for
/// what the values are filled up by. There must be one such row at most.
///
/// PostgreSQL is told to look them up one by one. A list, or a plain join, would leave it to the server whether it does that or goes
/// through what there is, and it does the latter where it believes that there is little.
pub(in crate::store) fn lookup_rows<E: EntityTrait, C: ConnectionTrait>(
    db: &C,
    values: &[[Option<&str>; 2]],
    expressions: impl IntoIterator<Item = Expr>,
    is_it: Condition,
) -> SelectStatement {
    let columns = || E::Column::iter().map(|column| (MATCH, column.as_str()));
    let mut rows = Query::select().exprs(expressions).columns(columns()).from(values_table(values)).take();
    match Dialect::of(db.get_database_backend()) {
        Dialect::Sqlite => rows.join_as(JoinType::LeftJoin, E::default().table_ref(), MATCH, is_it),
        Dialect::Postgres => {
            let one = Query::select()
                .columns(columns())
                .from_as(E::default().table_ref(), MATCH)
                .cond_where(is_it)
                .limit(1)
                .take();
            rows.join_lateral(JoinType::LeftJoin, one, MATCH, Condition::all())
        }
    };
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_filled_up_by_nulls() {
        let values = ["a", "b", "c", "d", "e"];
        for (count, padded_to) in [(1, 1), (2, 4), (3, 4), (4, 4), (5, 16)] {
            let padded = pad_to_power_of_four(values[..count].iter().copied());
            assert_eq!(padded.len(), padded_to);
            assert_eq!(padded[..count], values[..count].iter().map(|value| Value::from(*value)).collect::<Vec<_>>());
            assert!(padded[count..].iter().all(|value| *value == Value::String(None)));
        }
    }
}
