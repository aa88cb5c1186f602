//! Decodes encoded rows: lists of rows, each a list of values.

use serde::de::{DeserializeSeed, SeqAccess, Visitor};

use super::{Columns, ReadRow};

/// Decodes a list of rows that have the requested columns.
pub(super) struct RowListSeed<R> {
    columns: Columns,
    row: std::marker::PhantomData<R>,
}

impl<R> RowListSeed<R> {
    pub(super) const fn new(columns: Columns) -> Self {
        Self { columns, row: std::marker::PhantomData }
    }
}

/// Decodes a list of such lists.
pub(super) struct RowListsSeed<R>(pub(super) RowListSeed<R>);

impl<'de, R: ReadRow> DeserializeSeed<'de> for RowListsSeed<R> {
    type Value = Vec<Vec<R>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: ReadRow> Visitor<'de> for RowListsSeed<R> {
    type Value = Vec<Vec<R>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of lists of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut lists = Vec::new();
        while let Some(rows) = seq.next_element_seed(RowListSeed::<R>::new(self.0.columns))? {
            lists.push(rows);
        }
        Ok(lists)
    }
}

impl<'de, R: ReadRow> DeserializeSeed<'de> for RowListSeed<R> {
    type Value = Vec<R>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Vec<R>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: ReadRow> Visitor<'de> for RowListSeed<R> {
    type Value = Vec<R>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<R>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) =
            seq.next_element_seed(RowSeed::<R> { columns: self.columns, row: std::marker::PhantomData })?
        {
            rows.push(row);
        }
        Ok(rows)
    }
}

struct RowSeed<R> {
    columns: Columns,
    row: std::marker::PhantomData<R>,
}

impl<'de, R: ReadRow> DeserializeSeed<'de> for RowSeed<R> {
    type Value = R;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<R, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: ReadRow> Visitor<'de> for RowSeed<R> {
    type Value = R;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a row's values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<R, A::Error> {
        R::decode(self.columns, &mut values)
    }
}
