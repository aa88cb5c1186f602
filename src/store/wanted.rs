//! Looking several things up at once.
//!
//! Each number of values makes another text of SQL, which the database has to prepare and keep. So their number is a power of four, filled
//! up by nulls, which find nothing.

use sea_orm::sea_query::{
    Condition, DynIden, IntoCondition, IntoIden, JoinType, Nullable, Query, SelectStatement, TableRef, Value,
    ValueTuple,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic, Iterable};

use super::dialect::Dialect;

/// What the values are called where they stand for a table.
const WANTED: &str = "wanted";

/// Each of them: the name that both databases give to a column that has none.
pub(super) const VALUE: (&str, &str) = (WANTED, "column1");

/// Values for a list of which a row is to have one.
pub(super) fn padded<T: Nullable + Into<Value>>(values: impl ExactSizeIterator<Item = T>) -> Vec<Value> {
    let count = power_of_four_from(values.len());
    values.map(Into::into).chain(std::iter::repeat(T::null())).take(count).collect()
}

/// The least power of four that is not less.
const fn power_of_four_from(count: usize) -> usize {
    let mut power = 1;
    while power < count {
        power *= 4;
    }
    power
}

/// Values as a table, for each of which a select of its own finds something.
pub(super) fn wanted(values: &[&str]) -> TableRef {
    let values = padded(values.iter().copied());
    TableRef::ValuesList(values.into_iter().map(ValueTuple::One).collect(), WANTED.into_iden())
}

/// The rows of a table that meet a condition with one of the values, at most one for each.
///
/// PostgreSQL is told to look them up one by one. A list, or a plain join, would leave it to the server whether it does that or goes
/// through what there is, and it does the latter where it believes that there is little.
pub(super) fn rows_wanted<E: EntityTrait, C: ConnectionTrait>(
    db: &C,
    values: &[&str],
    condition: impl IntoCondition,
) -> SelectStatement {
    let columns = || E::Column::iter().map(|column| column.as_column_ref());
    let condition: Condition = condition.into_condition();
    match Dialect::of(db.get_database_backend()) {
        Dialect::Sqlite => Query::select()
            .columns(columns())
            .from(wanted(values))
            .inner_join(E::default().table_ref(), condition)
            .take(),
        Dialect::Postgres => {
            let found: DynIden = "found".into_iden();
            let one =
                Query::select().columns(columns()).from(E::default().table_ref()).cond_where(condition).limit(1).take();
            Query::select()
                .columns(E::Column::iter().map(|column| (found.clone(), column.as_str())))
                .from(wanted(values))
                .join_lateral(JoinType::InnerJoin, one, found.clone(), Condition::all())
                .take()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_filled_up_by_nulls() {
        let values = ["a", "b", "c", "d", "e"];
        for (count, padded_to) in [(1, 1), (2, 4), (3, 4), (4, 4), (5, 16)] {
            let padded = padded(values[..count].iter().copied());
            assert_eq!(padded.len(), padded_to);
            assert_eq!(padded[..count], values[..count].iter().map(|value| Value::from(*value)).collect::<Vec<_>>());
            assert!(padded[count..].iter().all(|value| *value == Value::String(None)));
        }
    }
}
