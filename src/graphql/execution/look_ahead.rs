//! Look-ahead: finds the columns that a selection needs, so that a statement reads no others.

use async_graphql::{Context, SelectionField};

use crate::store::sql::json_rows::Columns;

/// The columns that a field's own selection needs. `columns` maps the name of a selected field to
/// its columns.
pub(crate) fn node_columns(ctx: &Context<'_>, columns: impl Fn(&str) -> Columns) -> Columns {
    selection_columns(ctx.field(), &columns)
}

/// The columns that a connection's nodes need.
pub(crate) fn connection_columns(ctx: &Context<'_>, columns: impl Fn(&str) -> Columns) -> Columns {
    ctx.field()
        .selection_set()
        .map(|field| match field.name() {
            "nodes" => selection_columns(field, &columns),
            "edges" => field
                .selection_set()
                .filter(|field| field.name() == "node")
                .map(|node| selection_columns(node, &columns))
                .collect(),
            _ => Columns::NONE,
        })
        .collect()
}

fn selection_columns(field: SelectionField<'_>, columns: &impl Fn(&str) -> Columns) -> Columns {
    field.selection_set().map(|field| columns(field.name())).collect()
}
