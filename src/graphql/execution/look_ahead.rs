//! Look-ahead: finds the columns that a selection needs, so that a statement reads no others.

use async_graphql::{Context, SelectionField};

use crate::store::sql::json_rows::{Columns, ReadRow};

/// A row that an object of the API shows. A field needs the column of its own name, if there is
/// one.
pub(crate) trait ShownRow: ReadRow {
    /// The columns that fields need besides.
    const OTHER_COLUMNS: &'static [(&'static str, Columns)] = &[];
}

/// The columns that a field's own selection needs.
pub(crate) fn node_columns<R: ShownRow>(ctx: &Context<'_>) -> Columns {
    selection_columns::<R>(ctx.field())
}

/// The columns that a connection's nodes need.
pub(crate) fn connection_columns<R: ShownRow>(ctx: &Context<'_>) -> Columns {
    ctx.field()
        .selection_set()
        .map(|field| match field.name() {
            "nodes" => selection_columns::<R>(field),
            "edges" => {
                field.selection_set().filter(|field| field.name() == "node").map(selection_columns::<R>).collect()
            }
            _ => Columns::NONE,
        })
        .collect()
}

/// The columns that these fields of a field's own selection need together.
pub(crate) fn fields_columns<R: ShownRow>(ctx: &Context<'_>, names: &[&str]) -> Columns {
    let field = ctx.field();
    field.selection_set().filter(|field| names.contains(&field.name())).map(selection_columns::<R>).collect()
}

fn selection_columns<R: ShownRow>(field: SelectionField<'_>) -> Columns {
    field
        .selection_set()
        .map(|field| {
            let others = R::OTHER_COLUMNS.iter().filter(|(name, _)| *name == field.name()).map(|(_, columns)| *columns);
            R::column_of_field(field.name()) | others.collect()
        })
        .collect()
}
