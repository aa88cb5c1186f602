//! Reading what was packed: lists of rows, each a list of values.

use serde::de::{DeserializeSeed, SeqAccess, Visitor};

use super::{Columns, Row};

/// Reads a list of rows, with the columns that were asked for.
pub(super) struct Rows<R> {
    columns: Columns,
    row: std::marker::PhantomData<R>,
}

impl<R> Rows<R> {
    pub(super) const fn of(columns: Columns) -> Self {
        Self { columns, row: std::marker::PhantomData }
    }
}

/// Reads a list of such lists.
pub(super) struct RowsOfEach<R>(pub(super) Rows<R>);

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
