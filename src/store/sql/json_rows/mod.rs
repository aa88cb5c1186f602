//! A whole result as one JSON value: the database encodes the rows, and serde_json decodes them.
//!
//! Measured: if each row is a record, a query costs per row (the SQLite driver hands each to
//! another thread and copies each value) and per column name. So a select is wrapped into the
//! database's own JSON array, with one array of values a row, in the order of the columns, and only
//! the requested columns.
//!
//! Integers of 64 bits stay exact: SQLite writes and serde_json reads them as integers. Bytes,
//! which JSON cannot hold, are encoded as hexadecimal text.
//!
//! `encode` builds the statements for each database; `decode` reads their results.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Query, SelectStatement};
use serde::de::{DeserializeSeed, SeqAccess};

use crate::metrics::READS;
use crate::store::budget::Exceeded;
use crate::store::engine::dialect::Dialect;
use crate::store::{Reader, StoreError};

mod decode;
pub(in crate::store) mod encode;

use decode::{RowListSeed, RowListsSeed};

/// A set of columns, by their indexes in [`ReadRow::OPTIONAL_COLUMNS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Columns(u64);

impl Columns {
    /// None of the optional columns.
    pub const NONE: Self = Self(0);

    /// The column at an index.
    #[must_use]
    pub const fn from_index(index: usize) -> Self {
        Self(1 << index)
    }

    /// The first `count` columns.
    #[must_use]
    pub const fn first(count: usize) -> Self {
        Self((1 << count) - 1)
    }

    /// Whether the column at an index is in the set.
    #[must_use]
    pub const fn has(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }
}

/// The value of a column that may not have been requested.
#[derive(Clone, Copy, Debug)]
pub enum Column<T> {
    /// The value.
    Read(T),
    /// The column with this name was not requested.
    Unread(&'static str),
}

impl<T> Column<T> {
    /// The value. A column that was not requested is an error, never an empty value.
    pub fn get(&self) -> Result<&T, StoreError> {
        match self {
            Self::Read(value) => Ok(value),
            Self::Unread(name) => Err(StoreError::Unreadable(format!("the column {name} was not requested"))),
        }
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
        columns.into_iter().fold(Self::NONE, |set, column| set | column)
    }
}

/// A typed row. Some of its columns may not have been requested.
pub trait ReadRow: Sized + Send {
    /// The row's table.
    const TABLE: &'static str;
    /// The columns that every row has. They come first in the encoded row.
    const KEY_COLUMNS: &'static [&'static str];
    /// The columns that can be left out, in the order of their [`Columns`] indexes. They follow in
    /// the encoded row.
    const OPTIONAL_COLUMNS: &'static [&'static str];
    /// All columns.
    const ALL: Columns;
    /// The columns that hold bytes.
    const BYTES_COLUMNS: &'static [&'static str];
    /// The columns whose values may have a megabyte. A statement that reads them is bounded by the
    /// bytes of its request's budget.
    const LARGE_COLUMNS: &'static [&'static str];

    /// The column from which a field of the API has its name: `first_name` for `firstName`.
    #[must_use]
    fn column_of_field(field: &str) -> Columns {
        Self::find_column(|column| is_camel_case_of(column, field))
    }

    /// The first of the optional columns that meets a condition, if there is one.
    #[must_use]
    fn find_column(condition: impl Fn(&str) -> bool) -> Columns {
        let index = Self::OPTIONAL_COLUMNS.iter().position(|column| condition(column));
        index.map_or(Columns::NONE, Columns::from_index)
    }

    /// Decodes one row.
    fn decode<'de, A: SeqAccess<'de>>(columns: Columns, values: &mut A) -> Result<Self, A::Error>;
}

fn is_camel_case_of(column: &str, field: &str) -> bool {
    let (mut column, mut field) = (column.bytes(), field.bytes());
    while let Some(byte) = column.next() {
        let expected = if byte == b'_' { column.next().map(|byte| byte.to_ascii_uppercase()) } else { Some(byte) };
        if field.next() != expected {
            return false;
        }
    }
    field.next().is_none()
}

/// The names of the requested columns, in the order of the encoded row.
pub(super) fn column_names<R: ReadRow>(columns: Columns) -> impl Iterator<Item = &'static str> {
    let optional =
        R::OPTIONAL_COLUMNS.iter().enumerate().filter(move |(index, _)| columns.has(*index)).map(|(_, name)| *name);
    R::KEY_COLUMNS.iter().copied().chain(optional)
}

/// Runs a select that returns the requested columns under their names, and decodes its rows.
///
/// # Errors
///
/// [`StoreError::OverBudget`] if the rows are more than the connection's budget has left.
pub(in crate::store) async fn fetch_rows<R: ReadRow>(
    db: &Reader,
    select: SelectStatement,
    columns: Columns,
) -> Result<Vec<R>, StoreError> {
    let dialect = Dialect::of(db.get_database_backend());
    let size = has_large::<R>(columns).then(|| encode::size::<R>(&select, columns));
    let Some(json) = query_text(db, encode::encode::<R>(dialect, select, columns), size).await? else {
        return Ok(Vec::new());
    };
    let rows = RowListSeed::<R>::new(columns)
        .deserialize(&mut serde_json::Deserializer::from_str(&json))
        .map_err(|error| decode_error::<R>(&error))?;
    take_rows(db, rows.len())?;
    Ok(rows)
}

/// Runs a select for each of several keys, which it can refer to as the column `value` of
/// [`encode::KEYS_TABLE`]. Returns the rows of each key, in the order of the keys.
///
/// # Errors
///
/// As [`fetch_rows`].
pub(in crate::store) async fn fetch_rows_per_key<R: ReadRow>(
    db: &Reader,
    keys: &[String],
    select: SelectStatement,
    columns: Columns,
) -> Result<Vec<Vec<R>>, StoreError> {
    let dialect = Dialect::of(db.get_database_backend());
    let size = has_large::<R>(columns).then(|| encode::size_per_key::<R>(dialect, keys, &select, columns));
    let statement = encode::encode_per_key::<R>(dialect, keys, select, columns);
    let Some(json) = query_text(db, statement, size).await? else { return Ok(Vec::new()) };
    let lists = RowListsSeed::<R>(RowListSeed::new(columns))
        .deserialize(&mut serde_json::Deserializer::from_str(&json))
        .map_err(|error| decode_error::<R>(&error))?;
    take_rows(db, lists.iter().map(Vec::len).sum())?;
    Ok(lists)
}

/// Whether the columns have a large one.
fn has_large<R: ReadRow>(columns: Columns) -> bool {
    column_names::<R>(columns).any(|name| R::LARGE_COLUMNS.contains(&name))
}

fn take_rows(db: &Reader, count: usize) -> Result<(), StoreError> {
    db.budget().map_or(Ok(()), |budget| budget.take_rows(count))
}

fn decode_error<R: ReadRow>(error: &serde_json::Error) -> StoreError {
    StoreError::Unreadable(format!("a row of {}: {error}", R::TABLE))
}

/// Runs a statement that returns one text. If `size`, the statement that returns how many bytes of
/// large columns it reads, is more than the budget has left, the database does not read them.
async fn query_text(
    db: &Reader,
    select: SelectStatement,
    size: Option<SelectStatement>,
) -> Result<Option<String>, StoreError> {
    metrics::counter!(READS).increment(1);
    let budget = db.budget();
    if let Some(budget) = budget {
        budget.check()?;
    }
    let bounded = size.zip(budget);
    let is_bounded = bounded.is_some();
    let select = match bounded {
        Some((size, budget)) => encode::unless_larger(select, size, budget.bytes_to_read()),
        None => select,
    };
    let statement = encode::with_inlined_limit(db.get_database_backend().build(&select));
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(None) };
    let text: Option<String> = row.try_get_by_index(0)?;
    match (&text, budget) {
        (Some(text), Some(budget)) if is_bounded => budget.take_bytes_to_read(text.len())?,
        (None, Some(budget)) => {
            budget.exceed(Exceeded::Bytes);
            return Err(StoreError::OverBudget);
        }
        (Some(_), _) | (None, None) => {}
    }
    Ok(text)
}

/// Selects columns of a row from its table, without a filter or an order.
pub(in crate::store) fn select_columns<R: ReadRow>(columns: Columns) -> SelectStatement {
    Query::select().from(R::TABLE).columns(column_names::<R>(columns)).take()
}

/// Defines a row: its keys, which are always read, and its columns, each of which is a [`Column`].
macro_rules! row {
    (
        $(#[$meta:meta])*
        $name:ident from $table:literal $(with bytes in $bytes:ident)? $(with megabytes in $large:ident)? {
            keys { $($(#[$key_doc:meta])* $key:ident: $key_type:ty,)+ }
            columns { $($(#[$doc:meta])* $field:ident: $type:ty,)* }
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "a column is named as its field in the API")]
        pub struct $name {
            $($(#[$key_doc])* pub $key: $key_type,)+
            $($(#[$doc])* pub $field: $crate::store::sql::json_rows::Column<$type>,)*
        }

        impl $name {
            $(
                #[doc = concat!("The column `", stringify!($field), "`.")]
                #[expect(non_upper_case_globals, reason = "a column's constant has the column's own name")]
                pub const $field: $crate::store::sql::json_rows::Columns =
                    $crate::store::sql::json_rows::Columns::from_index(column_indexes::$name::$field as usize);
            )*
        }

        impl $crate::store::sql::json_rows::ReadRow for $name {
            const TABLE: &'static str = $table;
            const KEY_COLUMNS: &'static [&'static str] = &[$(stringify!($key)),+];
            const OPTIONAL_COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];
            const ALL: $crate::store::sql::json_rows::Columns = $crate::store::sql::json_rows::Columns::first(Self::OPTIONAL_COLUMNS.len());
            const BYTES_COLUMNS: &'static [&'static str] = &[$(stringify!($bytes))?];
            const LARGE_COLUMNS: &'static [&'static str] = &[$(stringify!($large))?];

            fn decode<'de, A: serde::de::SeqAccess<'de>>(
                columns: $crate::store::sql::json_rows::Columns,
                values: &mut A,
            ) -> Result<Self, A::Error> {
                use $crate::store::sql::json_rows::Column;
                use serde::de::Error;
                let missing = || A::Error::custom("a value is missing");
                $(let $key: $key_type = values.next_element()?.ok_or_else(missing)?;)+
                $(
                    let $field = if columns.has(column_indexes::$name::$field as usize) {
                        Column::Read(values.next_element::<$type>()?.ok_or_else(missing)?)
                    } else {
                        Column::Unread(stringify!($field))
                    };
                )*
                Ok(Self { $($key,)+ $($field,)* })
            }
        }

        mod column_indexes {
            #[expect(non_camel_case_types, reason = "a column's index has the column's own name")]
            pub(super) enum $name { $($field),* }
        }
    };
}

pub(in crate::store) use row;

#[cfg(test)]
mod budget_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::read::ClientRow;

    #[test]
    fn field_reads_the_column_of_its_name() {
        for (field, column) in [
            ("name", ClientRow::name),
            ("firstName", ClientRow::first_name),
            ("addressFieldOne", ClientRow::address_field_one),
            ("first_name", Columns::NONE),
            ("nam", Columns::NONE),
            ("names", Columns::NONE),
            ("vendorId", Columns::NONE),
        ] {
            assert_eq!(ClientRow::column_of_field(field), column, "{field}");
        }
    }

    #[test]
    fn unread_column_is_an_error_that_names_it() {
        let mut values = serde_json::Deserializer::from_str(r#"[["4815162342", "Ada"]]"#);
        let rows = RowListSeed::<ClientRow>::new(ClientRow::name).deserialize(&mut values).unwrap();
        assert_eq!(rows[0].name.get().unwrap().as_deref(), Some("Ada"));
        let error = rows[0].email.get().unwrap_err().to_string();
        assert!(error.ends_with("the column email was not requested"), "{error}");
    }
}
