//! The types of the schema, as far as arguments and variables need them.

use std::collections::{HashMap, HashSet};

use async_graphql::indexmap::{IndexMap, IndexSet};
use async_graphql::parser::types::{BaseType, OperationType, Type};
use async_graphql::{Name, Value};

/// Parses a value of a scalar. An error says what is expected, such as `a day like 2022-01-16`.
pub(crate) type ParseScalar = fn(&Value) -> Result<(), String>;

/// How many objects the lists of the schema have.
#[derive(Clone, Copy)]
pub(crate) struct ListSizes {
    pub(crate) pages: &'static [PageSize],
    /// The types of which a list has fewer objects than `list_max`, and how many.
    pub(crate) short_lists: &'static [(&'static str, usize)],
    /// The most objects of any other list without pages.
    pub(crate) list_max: usize,
}

/// The size of one kind of page.
pub(crate) struct PageSize {
    /// The arguments that give it, of which a request has one. Only pages have the first.
    pub(crate) arguments: &'static [&'static str],
    pub(crate) default: i32,
    pub(crate) max: i32,
}

impl ListSizes {
    /// The size of the page that a field gives. `None` for a field that gives no page.
    pub(super) fn page(&self, field: &FieldType) -> Option<&'static PageSize> {
        let has_first = |page: &&PageSize| page.arguments.first().is_some_and(|it| field.arguments.contains_key(*it));
        self.pages.iter().find(has_first)
    }

    /// How many objects the list that a field gives has, if it gives no page.
    pub(super) fn list(&self, field: &FieldType) -> usize {
        let short = self.short_lists.iter().find(|(name, _)| *name == field.type_name);
        short.map_or(self.list_max, |(_, length)| *length)
    }
}

/// The types of the schema.
pub(crate) struct SchemaTypes {
    pub(super) list_sizes: ListSizes,
    /// The fields of each object and interface.
    pub(super) outputs: HashMap<String, HashMap<String, FieldType>>,
    /// The interfaces.
    pub(super) abstract_types: HashSet<String>,
    /// The objects that are pages: the types of fields with a page size.
    pub(super) pages: HashSet<String>,
    pub(super) inputs: HashMap<String, InputType>,
    pub(super) query: String,
    pub(super) mutation: String,
    pub(super) subscription: String,
}

/// A field of an object.
pub(super) struct FieldType {
    pub(super) ty: Type,
    /// The name of its type, without lists and nullability.
    pub(super) type_name: String,
    pub(super) arguments: IndexMap<String, InputValue>,
}

/// An argument, or a field of an input object.
#[derive(Clone)]
pub(super) struct InputValue {
    pub(super) ty: Type,
    pub(super) has_default: bool,
}

/// A type that a value of a client may have.
pub(super) enum InputType {
    Int,
    Float,
    String,
    Boolean,
    Id,
    /// A scalar of this API.
    Scalar(ParseScalar),
    /// Its values, in the order of the schema.
    Enum(IndexSet<String>),
    Object {
        fields: IndexMap<String, InputValue>,
        /// Whether exactly one field must be given.
        is_one_of: bool,
    },
}

impl SchemaTypes {
    pub(super) fn root(&self, operation: OperationType) -> &str {
        match operation {
            OperationType::Query => &self.query,
            OperationType::Mutation => &self.mutation,
            OperationType::Subscription => &self.subscription,
        }
    }

    pub(super) fn field(&self, type_name: &str, field: &str) -> Option<&FieldType> {
        self.outputs.get(type_name)?.get(field)
    }

    /// The input type of this name. `None` if the schema has none: the library reports that.
    pub(super) fn input(&self, type_name: &str) -> Option<&InputType> {
        self.inputs.get(type_name)
    }
}

/// The name in a type, within lists.
pub(super) fn named_type(mut ty: &Type) -> &Name {
    loop {
        match &ty.base {
            BaseType::Named(name) => return name,
            BaseType::List(item) => ty = item,
        }
    }
}

/// How deep lists are nested in a type.
pub(super) fn list_depth(mut ty: &Type) -> usize {
    let mut depth = 0;
    while let BaseType::List(item) = &ty.base {
        ty = item;
        depth += 1;
    }
    depth
}

/// Whether a variable of this type may stand where a value of another is expected (specification,
/// 5.8.5, AreTypesCompatible).
pub(super) fn is_compatible(mut variable: &Type, mut expected: &Type) -> bool {
    loop {
        if variable.nullable && !expected.nullable {
            return false;
        }
        match (&variable.base, &expected.base) {
            (BaseType::Named(variable), BaseType::Named(expected)) => return variable == expected,
            (BaseType::List(variable_item), BaseType::List(expected_item)) => {
                variable = variable_item;
                expected = expected_item;
            }
            (BaseType::Named(_), BaseType::List(_)) | (BaseType::List(_), BaseType::Named(_)) => return false,
        }
    }
}
