//! Executes an object's selection, by the GraphQL specification (section 6.3, "Executing Selection
//! Sets").
//!
//! This replaces the library's execution of objects; parsing, validation, types and fields remain
//! the library's. There are two reasons:
//!
//! * The library omits a failed field from its object, and orders fields by the time at which they
//!   are ready. Here a nullable field that failed is null, a failed non-nullable field propagates
//!   to its object, and fields keep the order of the document.
//! * The library allocates a future on the heap for every field of every object. Most fields are
//!   ready at once: [`join`] runs those in place, and allocates only for fields that wait for the
//!   database.
//!
//! A field returns an object of the API wrapped in [`Selected`]. The library still executes the
//! roots: [`root`] restores the failed fields that it omits there.

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

/// An object whose selection this module executes.
pub(crate) trait Selectable: ContainerType {
    /// Executes a selection on this object.
    ///
    /// The value of an interface must delegate to the object that it holds.
    fn select<'a>(&'a self, ctx: &'a ContextSelectionSet<'a>) -> BoxFuture<'a, ServerResult<JsonText>> {
        Box::pin(resolve_object(self, ctx))
    }
}

impl<T: Selectable> Selectable for &T {
    fn select<'a>(&'a self, ctx: &'a ContextSelectionSet<'a>) -> BoxFuture<'a, ServerResult<JsonText>> {
        T::select(self, ctx)
    }
}

/// An object as the fields of the API return it.
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

async fn resolve_object<T: Selectable + ?Sized>(object: &T, ctx: &ContextSelectionSet<'_>) -> ServerResult<JsonText> {
    let type_name = T::type_name();
    let fields = collect_fields(ctx, &type_name)?;
    let values = join::join_in_order(fields.iter().map(async |field| {
        if field.node.name.node == "__typename" {
            return Ok(Some(Value::from(&*type_name)));
        }
        let ctx = ctx.with_field(field);
        // Validation checks within one selection that the type has the field, but not across merged
        // selections.
        let unknown =
            || ServerError::new(format!("the type {type_name} has no field {}", field.node.name.node), Some(field.pos));
        object.resolve_field(&ctx).await?.ok_or_else(unknown).map(Some)
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
            // The error propagates: the field that holds this object becomes null, or fails in
            // turn.
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
        let items = self.0.iter().enumerate().map(async |(index, item)| {
            let ctx = ctx.with_index(index);
            item.select(&ctx).await.map_err(|error| {
                // An error that has a path already has the more precise one.
                if error.path.is_empty() { ctx.set_error_path(error) } else { error }
            })
        });
        JsonText::list(join::join_in_order(items).await.into_iter().collect::<ServerResult<_>>()?).into_value()
    }
}
