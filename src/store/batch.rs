//! Many rows by few statements: what a group of deliveries costs is its round trips to the database.
//!
//! Each number of rows makes another text of SQL, which the database has to prepare. So the numbers are powers of two: what is
//! prepared once is found again.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Iterable, PrimaryKeyToColumn};

use super::StoreError;

/// How many rows a statement writes at most: both databases bound the values of a statement (SQLite to 32,766), and keep its plan.
const ROWS: usize = 64;

/// Inserts rows.
pub(super) async fn insert<A, C>(db: &C, rows: Vec<A>) -> Result<(), StoreError>
where
    A: ActiveModelTrait + Send,
    C: ConnectionTrait,
{
    write(db, rows, None).await
}

/// Inserts rows; one whose key is there takes the place of what is there.
pub(super) async fn replace<A, C>(db: &C, rows: Vec<A>) -> Result<(), StoreError>
where
    A: ActiveModelTrait + Send,
    C: ConnectionTrait,
{
    let key = || <A::Entity as EntityTrait>::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
    let others = <A::Entity as EntityTrait>::Column::iter()
        .filter(|column| <A::Entity as EntityTrait>::PrimaryKey::from_column(*column).is_none());
    write(db, rows, Some(&OnConflict::columns(key()).update_columns(others).to_owned())).await
}

async fn write<A, C>(db: &C, mut rows: Vec<A>, on_conflict: Option<&OnConflict>) -> Result<(), StoreError>
where
    A: ActiveModelTrait + Send,
    C: ConnectionTrait,
{
    while !rows.is_empty() {
        let rest = rows.split_off(power_of_two_within(rows.len().min(ROWS)));
        let statement = A::Entity::insert_many(std::mem::replace(&mut rows, rest));
        match on_conflict {
            Some(on_conflict) => statement.on_conflict(on_conflict.clone()).exec_without_returning(db).await?,
            None => statement.exec_without_returning(db).await?,
        };
    }
    Ok(())
}

/// The greatest power of two that is not greater.
const fn power_of_two_within(count: usize) -> usize {
    1 << count.ilog2()
}

/// Values for a list of which a row is to have one: the last is repeated, which asks for nothing more.
pub(super) fn padded<T: Clone>(mut values: Vec<T>) -> Vec<T> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_rows_are_powers_of_two_and_none_is_left_out() {
        for count in 1..=300 {
            let (mut left, mut statements) = (count, 0);
            while left > 0 {
                let rows = power_of_two_within(left.min(ROWS));
                assert!(rows.is_power_of_two() && rows <= ROWS);
                left -= rows;
                statements += 1;
            }
            assert!(statements <= count.div_ceil(ROWS) + 6, "{count} rows by {statements} statements");
        }
    }

    #[test]
    fn a_list_is_padded_by_what_it_has() {
        assert_eq!(padded(vec![1, 2, 3]), [1, 2, 3, 3]);
        assert_eq!(padded(vec![1, 2]), [1, 2]);
        assert!(padded(Vec::<i32>::new()).is_empty());
    }
}
