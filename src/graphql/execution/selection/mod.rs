//! How an object's selection is executed, by the GraphQL specification (section 6.3, "Executing Selection Sets").
//!
//! Own code in place of the library's, which keeps its parsing, validation, types and fields. Two reasons:
//!
//! * The library leaves a field that failed out of its object, and gives fields in the order in which they are ready. Here a
//!   nullable field that failed is null, one that is not nullable takes its object with it, and fields keep the order of the
//!   document.
//! * The library makes every field of every object a future on the heap, in a set of its own. Most fields are ready at once:
//!   [`each`] runs them in place, and keeps only those on the heap that wait for the database.
//!
//! An object of the API is wrapped in [`Selected`] where a field gives it. The library still executes the roots themselves:
//! [`root`] puts right what it leaves out there.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::ContainerType;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerError, ServerResult, Value};
use futures_util::future::BoxFuture;

mod collect_fields;
mod join;
mod json;
mod merge_roots;
pub(super) mod root;

use collect_fields::collect_fields;
pub(crate) use json::JsonText;
pub(crate) use merge_roots::merge_roots;

/// An object whose selection is executed here.
pub(crate) trait Selectable: ContainerType {
    /// Executes a selection on this object.
    ///
    /// An interface's value must hand this on to the object that it holds.
    fn select<'a>(&'a self, ctx: &'a ContextSelectionSet<'a>) -> BoxFuture<'a, ServerResult<JsonText>> {
        Box::pin(resolve_object(self, ctx))
    }
}

impl<T: Selectable> Selectable for &T {
    fn select<'a>(&'a self, ctx: &'a ContextSelectionSet<'a>) -> BoxFuture<'a, ServerResult<JsonText>> {
        T::select(self, ctx)
    }
}

/// An object, as the fields of the API give it.
pub(crate) struct Selected<T>(pub(crate) T);

impl<T: Selectable> OutputType for Selected<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        self.0.select(ctx).await?.into_value()
    }
}

async fn resolve_object<T: Selectable + ?Sized>(of: &T, ctx: &ContextSelectionSet<'_>) -> ServerResult<JsonText> {
    let type_name = T::type_name();
    let fields = collect_fields(ctx, &type_name)?;
    let values = join::join_in_order(fields.iter().map(async |field| {
        if field.node.name.node == "__typename" {
            return Ok(Some(Value::from(&*type_name)));
        }
        let ctx = ctx.with_field(field);
        // That the type has such a field is validated within one selection, not across those that were merged.
        let unknown =
            || ServerError::new(format!("there is no field {} on {type_name}", field.node.name.node), Some(field.pos));
        of.resolve_field(&ctx).await?.ok_or_else(unknown).map(Some)
    }))
    .await;
    let mut members = Vec::with_capacity(fields.len());
    for (field, value) in fields.iter().zip(values) {
        let value = match value {
            Ok(value) => value.unwrap_or_default(),
            Err(error) if root::is_nullable(&ctx.schema_env.registry, &type_name, &field.node.name.node) => {
                ctx.add_error(error);
                Value::Null
            }
            // Whoever asked for this object is told: it becomes null, or takes its own object with it.
            Err(error) => return Err(error),
        };
        members.push((&field.node.response_key().node, value));
    }
    JsonText::object(members.into_iter())
}

/// A list of objects.
pub(crate) struct SelectedList<'a, T>(pub(crate) Vec<&'a T>);

impl<T: Selectable> OutputType for SelectedList<'_, T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<Selected<T>>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<Selected<T>>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<Selected<T>>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        let items = self.0.iter().enumerate().map(async |(place, item)| {
            let ctx = ctx.with_index(place);
            item.select(&ctx).await.map_err(|error| {
                // One that knows its place knows it better.
                if error.path.is_empty() { ctx.set_error_path(error) } else { error }
            })
        });
        JsonText::list(join::join_in_order(items).await.into_iter().collect::<ServerResult<_>>()?).into_value()
    }
}
