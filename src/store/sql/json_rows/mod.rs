//! A whole result as one row of JSON: the database packs it, serde_json unpacks it into typed rows.
//!
//! Measured: with a row a record, the cost of a query is per row (the SQLite driver hands each across a thread and copies
//! each value) and per column name. So any select is wrapped into the database's own JSON array, one array of values a row,
//! in the order of the columns, with only the columns that were asked for.
//!
//! Integers of 64 bits come through exactly: SQLite writes them and serde_json reads them as integers. What JSON cannot
//! hold (bytes) is packed as hexadecimal text.
//!
//! `sql` has the statements, as each database says them; `unpack` reads what they give.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Query, SelectStatement};
use serde::de::{DeserializeSeed, SeqAccess};

use crate::metrics::READS;
use crate::store::engine::dialect::Dialect;
use crate::store::{Reader, StoreError};

mod decode;
pub(in crate::store) mod encode;

use decode::{RowListSeed, RowListsSeed};

/// Some of a row's columns, by their places in [`Row::NAMES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Columns(u64);

impl Columns {
    /// No column but those that every row has.
    pub const NONE: Self = Self(0);

    /// The column at one place.
    #[must_use]
    pub const fn from_index(place: usize) -> Self {
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
pub trait ReadRow: Sized + Send {
    /// The table it is a row of.
    const TABLE: &'static str;
    /// The columns that every row has, then those that can be left out, in the order in which they are packed.
    const KEY_COLUMNS: &'static [&'static str];
    /// The columns that can be left out: their places are what [`Columns`] names.
    const OPTIONAL_COLUMNS: &'static [&'static str];
    /// All columns.
    const ALL: Columns;
    /// The columns that hold bytes.
    const BYTES_COLUMNS: &'static [&'static str];

    /// Unpacks one row.
    ///
    /// # Errors
    ///
    /// Where a value is not of its column's type.
    fn decode<'de, A: SeqAccess<'de>>(columns: Columns, values: &mut A) -> Result<Self, A::Error>;
}

/// The names of a row's columns, of those asked for, in the order in which they are packed.
pub(super) fn column_names<R: ReadRow>(columns: Columns) -> impl Iterator<Item = &'static str> {
    let optional =
        R::OPTIONAL_COLUMNS.iter().enumerate().filter(move |(place, _)| columns.has(*place)).map(|(_, name)| *name);
    R::KEY_COLUMNS.iter().copied().chain(optional)
}

/// Runs a select that gives the columns asked for under their names, and unpacks all its rows from one.
///
/// # Errors
///
/// Where the database cannot be read, or a value is not of its column's type.
pub(in crate::store) async fn fetch_rows<R: ReadRow>(
    db: &Reader,
    select: SelectStatement,
    columns: Columns,
) -> Result<Vec<R>, StoreError> {
    let Some(json) =
        query_text(db, &encode::encode::<R>(Dialect::of(db.get_database_backend()), select, columns)).await?
    else {
        return Ok(Vec::new());
    };
    RowListSeed::<R>::new(columns)
        .deserialize(&mut serde_json::Deserializer::from_str(&json))
        .map_err(|error| decode_error::<R>(&error))
}

/// Runs a select for each of several keys, which it knows as [`encode::KEYS`]`.value`, and unpacks the rows of each, in the order of the
/// keys.
///
/// # Errors
///
/// Where the database cannot be read, or a value is not of its column's type.
pub(in crate::store) async fn fetch_rows_per_key<R: ReadRow>(
    db: &Reader,
    keys: &[String],
    select: SelectStatement,
    columns: Columns,
) -> Result<Vec<Vec<R>>, StoreError> {
    let statement = encode::encode_per_key::<R>(Dialect::of(db.get_database_backend()), keys, select, columns);
    let Some(json) = query_text(db, &statement).await? else { return Ok(Vec::new()) };
    RowListsSeed::<R>(RowListSeed::new(columns))
        .deserialize(&mut serde_json::Deserializer::from_str(&json))
        .map_err(|error| decode_error::<R>(&error))
}

fn decode_error<R: ReadRow>(error: &serde_json::Error) -> StoreError {
    StoreError::Unreadable(format!("a row of {}: {error}", R::TABLE))
}

/// Runs a statement that gives one text.
async fn query_text(db: &Reader, select: &SelectStatement) -> Result<Option<String>, StoreError> {
    metrics::counter!(READS).increment(1);
    let statement = encode::with_inlined_limit(db.get_database_backend().build(select));
    Ok(match db.query_one_raw(statement).await? {
        Some(row) => Some(row.try_get_by_index(0)?),
        None => None,
    })
}

/// A select of a row's columns from its table, to be filtered and ordered.
pub(in crate::store) fn select_columns<R: ReadRow>(columns: Columns) -> SelectStatement {
    Query::select().from(R::TABLE).columns(column_names::<R>(columns)).take()
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
                pub const $field: $crate::store::sql::json_rows::Columns =
                    $crate::store::sql::json_rows::Columns::from_index(places::$name::$field as usize);
            )*
        }

        impl $crate::store::sql::json_rows::ReadRow for $name {
            const TABLE: &'static str = $table;
            const KEY_COLUMNS: &'static [&'static str] = &[$(stringify!($key)),+];
            const OPTIONAL_COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];
            const ALL: $crate::store::sql::json_rows::Columns = $crate::store::sql::json_rows::Columns::first(Self::OPTIONAL_COLUMNS.len());
            const BYTES_COLUMNS: &'static [&'static str] = &[$(stringify!($bytes))?];

            fn decode<'de, A: serde::de::SeqAccess<'de>>(
                columns: $crate::store::sql::json_rows::Columns,
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

pub(in crate::store) use row;
