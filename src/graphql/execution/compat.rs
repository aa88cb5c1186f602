//! The only file that names internals of async-graphql: its `#[doc(hidden)]` environments, its type
//! registry, and its token for raw JSON. `Cargo.toml` pins the version for that reason. After an
//! upgrade only this file needs a look.
//!
//! It also puts [`selection`](super::selection) in the place of the library's executor at the
//! roots. The library resolves the fields of a [`Root`] one by one, in no order, and cannot merge
//! them. The first of them therefore runs the whole selection, and the others return at once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, FragmentDefinition, Type};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::resolver_utils::ContainerType;
use async_graphql::{
    Context, ContextSelectionSet, Name, ObjectType, OutputType, Positioned, Response, ServerError, ServerResult,
    SubscriptionType, Value,
};
use async_graphql_value::RAW_VALUE_TOKEN;
use futures_util::Stream;

use super::selection::{Selectable, Selected, SelectedList, resolve_root};
use super::types::{FieldType, InputType, InputValue, ListSizes, ParseScalar, SchemaTypes};

/// The key by which the library distinguishes raw JSON from an object.
pub(super) static RAW_VALUE_KEY: LazyLock<Name> = LazyLock::new(|| Name::new(RAW_VALUE_TOKEN));

/// The description of the schema as a whole.
pub(crate) const SCHEMA_DESCRIPTION: &str = "The projects, drawings, clients, proposals and payments that ArcSite and Bidsketch report by webhook: their \
     current state, the log of events that made it, and a live stream of new events.";

/// The text of a scalar whose own type cannot hold the value: a sum is larger than any amount.
#[derive(Clone, Debug)]
pub(crate) struct ScalarText<T> {
    text: String,
    scalar: PhantomData<fn() -> T>,
}

impl<T> ScalarText<T> {
    /// The value with this text.
    pub(crate) const fn new(text: String) -> Self {
        Self { text, scalar: PhantomData }
    }
}

impl<T: OutputType> OutputType for ScalarText<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(self.text.clone()))
    }
}

/// Whether a field of a type may be null.
pub(super) fn is_nullable(ctx: &ContextSelectionSet<'_>, type_name: &str, field: &str) -> bool {
    let field = ctx.schema_env.registry.types.get(type_name).and_then(|meta_type| meta_type.field_by_name(field));
    field.is_some_and(|field| !field.ty.ends_with('!'))
}

/// Whether a type implements an interface, or is a member of a union.
pub(super) fn belongs_to(ctx: &ContextSelectionSet<'_>, type_name: &str, abstract_type: &str) -> bool {
    let registry = &ctx.schema_env.registry;
    registry.implements.get(type_name).is_some_and(|interfaces| interfaces.contains(abstract_type))
        || matches!(
            registry.types.get(abstract_type),
            Some(MetaType::Union { possible_types, .. }) if possible_types.contains(type_name)
        )
}

/// The fragment of this name in the document of the operation.
pub(super) fn fragment<'a>(ctx: &ContextSelectionSet<'a>, name: &Name) -> Option<&'a FragmentDefinition> {
    ctx.query_env.fragments.get(name).map(|fragment| &fragment.node)
}

/// The type `Query` or `Mutation`, whose selection this service executes.
#[derive(Default)]
pub struct Root<T, const SERIAL: bool>(T);

/// The result of a root's selection, attached to its request.
#[derive(Clone, Default)]
pub(super) struct RootResult(Arc<Mutex<RootState>>);

#[derive(Default)]
enum RootState {
    /// No field was resolved. A document with introspection alone stays so.
    #[default]
    Unresolved,
    /// The selection runs, or failed with an error that leaves no data.
    WithoutData,
    /// The values by response name, without those of introspection.
    Resolved(IndexMap<Name, Value>),
    /// A subscription began. The library resolves each of its events.
    Subscribed,
}

impl<T: ObjectType, const SERIAL: bool> ContainerType for Root<T, SERIAL> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let RootResult(state) = ctx.data().map_err(|error| error.into_server_error(ctx.item.pos))?;
        {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if !matches!(*state, RootState::Unresolved) {
                return Ok(None);
            }
            *state = RootState::WithoutData;
        }
        let selection_set = &ctx.query_env.operation.node.selection_set;
        let root_ctx = ctx.query_env.create_context(ctx.schema_env, None, selection_set, ctx.execute_data);
        let values = resolve_root(&self.0, &root_ctx, SERIAL).await?;
        *state.lock().unwrap_or_else(PoisonError::into_inner) = RootState::Resolved(values);
        Ok(None)
    }
}

impl RootResult {
    /// Puts the values into the response, in the order of the selection. Those of introspection are
    /// the library's, and are in the response already. Returns whether the operation was executed:
    /// the library refuses one that is not valid.
    pub(super) fn complete(&self, response: &mut Response, root_names: &IndexMap<Name, Name>) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = match std::mem::take(&mut *state) {
            RootState::Unresolved if response.errors.is_empty() => IndexMap::new(),
            RootState::Unresolved => return false,
            RootState::Subscribed => {
                *state = RootState::Subscribed;
                return true;
            }
            RootState::WithoutData => {
                response.data = Value::Null;
                return true;
            }
            RootState::Resolved(values) => values,
        };
        // The library has null for a selection without any value.
        let mut library = match std::mem::take(&mut response.data) {
            Value::Object(values) => values,
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_) => IndexMap::new(),
        };
        let mut value = |name| values.swap_remove(name).or_else(|| library.swap_remove(name));
        let ordered = root_names.iter().filter_map(|(name, field)| {
            let mut value = value(name)?;
            if field == "__schema" {
                describe_schema(&mut value);
            }
            Some((name.clone(), value))
        });
        response.data = Value::Object(ordered.collect());
        true
    }
}

/// Puts the description of this schema in the place of the library's. The only other text in an
/// object of `__Schema` is its type name.
fn describe_schema(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    for value in fields.values_mut() {
        if let Value::String(text) = value
            && text != "__Schema"
        {
            SCHEMA_DESCRIPTION.clone_into(text);
        }
    }
}

/// The type `Subscription`. It records that a subscription began.
#[derive(Default)]
pub struct SubscriptionRoot<T>(T);

impl<T: SubscriptionType> SubscriptionType for SubscriptionRoot<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn create_field_stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        if let Ok(RootResult(state)) = ctx.data() {
            *state.lock().unwrap_or_else(PoisonError::into_inner) = RootState::Subscribed;
        }
        self.0.create_field_stream(ctx)
    }
}

/// The types of a schema with these roots. `scalars` has the parser of each scalar that the library
/// does not define.
pub(crate) fn schema_types<Q: OutputType, M: OutputType, S: SubscriptionType>(
    scalars: &[(&str, ParseScalar)],
    list_sizes: ListSizes,
) -> SchemaTypes {
    let mut registry = Registry::default();
    let (query, mutation) = (Q::create_type_info(&mut registry), M::create_type_info(&mut registry));
    let subscription = S::create_type_info(&mut registry);
    let name = |qualified: &str| MetaTypeName::concrete_typename(qualified).to_owned();
    let (mut outputs, mut inputs, mut abstract_types) = (HashMap::new(), HashMap::new(), HashSet::new());
    let mut pages = HashSet::new();
    for (type_name, of_library) in &registry.types {
        let input = match of_library {
            MetaType::Object { fields, .. } | MetaType::Interface { fields, .. } => {
                let fields = fields.iter().filter_map(|(field, of_library)| {
                    let arguments = of_library.args.iter().filter_map(input_value).collect();
                    let ty = Type::new(&of_library.ty)?;
                    let field_type = FieldType { ty, type_name: name(&of_library.ty), arguments };
                    if list_sizes.page(&field_type).is_some() {
                        pages.insert(field_type.type_name.clone());
                    }
                    Some((field.clone(), field_type))
                });
                outputs.insert(type_name.clone(), fields.collect());
                if of_library.is_abstract() {
                    abstract_types.insert(type_name.clone());
                }
                continue;
            }
            MetaType::Union { .. } => {
                outputs.insert(type_name.clone(), HashMap::new());
                abstract_types.insert(type_name.clone());
                continue;
            }
            MetaType::Enum { enum_values, .. } => InputType::Enum(enum_values.keys().cloned().collect()),
            MetaType::InputObject { input_fields, oneof, .. } => {
                let fields = input_fields.iter().filter_map(input_value).collect();
                InputType::Object { fields, is_one_of: *oneof }
            }
            MetaType::Scalar { .. } => match type_name.as_str() {
                "Int" => InputType::Int,
                "Float" => InputType::Float,
                "String" => InputType::String,
                "Boolean" => InputType::Boolean,
                "ID" => InputType::Id,
                type_name => match scalars.iter().find(|(scalar, _)| *scalar == type_name) {
                    Some((_, parse)) => InputType::Scalar(*parse),
                    None => continue,
                },
            },
        };
        inputs.insert(type_name.clone(), input);
    }
    let (query, mutation, subscription) = (name(&query), name(&mutation), name(&subscription));
    SchemaTypes { list_sizes, outputs, abstract_types, pages, inputs, query, mutation, subscription }
}

fn input_value((name, of_library): (&String, &MetaInputValue)) -> Option<(String, InputValue)> {
    let has_default = of_library.default_value.is_some();
    Some((name.clone(), InputValue { ty: Type::new(&of_library.ty)?, has_default }))
}

impl<T: ObjectType, const SERIAL: bool> OutputType for Root<T, SERIAL> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        self.0.resolve(ctx, field).await
    }
}

impl<T: ObjectType, const SERIAL: bool> ObjectType for Root<T, SERIAL> {}

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
        let selected = self.0.select(ctx, None).await;
        // An error that has a path already has the more precise one.
        let at_field = |error: ServerError| if error.path.is_empty() { ctx.set_error_path(error) } else { error };
        selected.map_err(at_field)?.into_value()
    }
}

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
        self.select(ctx).await?.into_value()
    }
}
