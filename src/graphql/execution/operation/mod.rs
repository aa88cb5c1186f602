//! A request whose document is parsed, and the operation in it that is to run. Every later step
//! reads the operation from here: its kind, its variables, its root fields.

mod subscription_root;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Request, ServerError, ServerResult, Value, Variables};
use async_graphql_value::Value as Argument;

use super::document;
use super::field_merging::check_merging;
use super::lexer::Tokens;
use super::limits::{check_complexity, check_document};
use super::types::SchemaTypes;
use super::validation::check_values;
use super::variables::coerce_variables;
use crate::config::Graphql;
use crate::graphql::error::excerpt;

/// A GraphQL request that is understood as far as its document can be parsed.
#[derive(Clone, Debug)]
pub struct Operation {
    query: String,
    name: Option<String>,
    variables: Variables,
    /// The document, or why it cannot be parsed or exceeds a limit.
    document: Result<ExecutableDocument, ServerError>,
    /// Whether the request has the hash of a document in its place.
    is_hash_only: bool,
}

/// A request as it was sent. Its parsed document takes much more memory, so what executes later
/// holds this, and reads it again.
#[derive(Clone, Debug)]
pub(crate) struct UnreadOperation {
    query: String,
    name: Option<String>,
    variables: Variables,
}

impl UnreadOperation {
    /// As [`Operation::read`].
    pub(crate) fn read(&self, limits: &Graphql) -> Operation {
        let mut request = Request::new(self.query.clone()).variables(self.variables.clone());
        request.operation_name.clone_from(&self.name);
        Operation::read(request, limits)
    }
}

/// How many bytes a token of a parsed document takes, as measured with documents of short fields.
const TOKEN_BYTES: usize = 300;

/// How many times a subscription holds the text of its document: to share it and to read it again.
const TEXT_COPIES: usize = 4;

/// How many bytes a value of the variables takes besides its text, and how many times it is held.
const VALUE_BYTES: usize = 150;
const VALUE_COPIES: usize = 2;

/// The member of a request's `extensions` that holds the hash of its document.
pub const PERSISTED_QUERY: &str = "persistedQuery";

impl Operation {
    /// Parses the document of a request, adds the defaults of the variables that it does not give,
    /// and checks both against the limits. Whatever reads the operation later is therefore bounded.
    #[must_use]
    pub fn read(request: Request, limits: &Graphql) -> Self {
        let Request { query, operation_name: name, variables, extensions, .. } = request;
        let is_hash_only = query.is_empty() && extensions.contains_key(PERSISTED_QUERY);
        let document = document::parse(&query, limits);
        let mut operation = Self { query, name, variables, document, is_hash_only };
        let definitions = operation.definition().map(|definition| definition.variable_definitions.clone());
        for definition in definitions.into_iter().flatten() {
            if let Some(default) = definition.node.default_value {
                operation.variables.entry(definition.node.name.node).or_insert(default.node);
            }
        }
        let checked = operation.document().and_then(|document| check_document(document, &operation.variables, limits));
        if let Err(error) = checked {
            operation.document = Err(error);
        }
        operation
    }

    /// Whether the request may run a mutation. False if the document cannot be parsed: then nothing
    /// runs.
    #[must_use]
    pub fn is_mutation(&self) -> bool {
        match self.definition() {
            Some(definition) => definition.ty == OperationType::Mutation,
            None => self.kinds().any(|kind| kind == OperationType::Mutation) && self.name.is_none(),
        }
    }

    /// Whether the request runs a subscription. False if the document cannot be parsed.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        self.definition().is_some_and(|definition| definition.ty == OperationType::Subscription)
    }

    /// Whether the request has the hash of a document in its place.
    pub(super) const fn is_hash_only(&self) -> bool {
        self.is_hash_only
    }

    pub(crate) fn query(&self) -> &str {
        &self.query
    }

    /// The request as it was sent.
    pub(crate) fn to_unread(&self) -> UnreadOperation {
        let Self { query, name, variables, .. } = self;
        UnreadOperation { query: query.clone(), name: name.clone(), variables: variables.clone() }
    }

    /// How many bytes of memory its document and its variables take while it runs, at most.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let tokens = if self.document.is_ok() { Tokens::new(&self.query).count() } else { 0 };
        let mut values = 0_usize;
        let mut pending: Vec<&Value> = self.variables.values().collect();
        while let Some(value) = pending.pop() {
            values += VALUE_BYTES;
            match value {
                Value::String(text) => values += text.len(),
                Value::List(items) => pending.extend(items),
                Value::Object(fields) => {
                    values += fields.keys().map(|name| name.len()).sum::<usize>();
                    pending.extend(fields.values());
                }
                Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Enum(_) | Value::Binary(_) => {}
            }
        }
        self.query.len() * TEXT_COPIES + tokens * TOKEN_BYTES + values * VALUE_COPIES
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) const fn variables(&self) -> &Variables {
        &self.variables
    }

    /// The parsed document.
    ///
    /// # Errors
    ///
    /// The document cannot be parsed.
    pub(super) fn document(&self) -> ServerResult<&ExecutableDocument> {
        self.document.as_ref().map_err(Clone::clone)
    }

    /// Validates the fields and the values in the document, as far as the library does not, coerces
    /// the variables of the operation that runs, and checks its complexity.
    ///
    /// # Errors
    ///
    /// The document cannot be parsed or exceeds a limit, fields in it cannot be merged, a value in
    /// it or in the variables does not fit its type, or no operation has the name of the request.
    pub(super) fn coerce_values(&mut self, types: &SchemaTypes, limits: &Graphql) -> Result<(), Vec<ServerError>> {
        let document = self.document()?;
        check_merging(types, document, limits)?;
        check_values(types, document)?;
        let mut variables = std::mem::take(&mut self.variables);
        let Some(definition) = self.definition() else {
            let problem = match &self.name {
                Some(name) => format!("the document has no operation named {:?}", excerpt(name)),
                None => "the document has several operations; say by \"operationName\" which one to run".to_owned(),
            };
            return Err(vec![ServerError::new(problem, None)]);
        };
        coerce_variables(types, definition, &mut variables)?;
        check_complexity(types, self.document()?, definition, &variables, limits)?;
        if self.query.contains("includeDeprecated")
            && let Ok(document) = &mut self.document
        {
            default_include_deprecated(document, &mut variables);
        }
        self.variables = variables;
        Ok(())
    }

    /// The definition that runs: the one of the request's name, or the only one.
    pub(crate) fn definition(&self) -> Option<&OperationDefinition> {
        match (&self.document.as_ref().ok()?.operations, &self.name) {
            (DocumentOperations::Single(definition), _) => Some(&definition.node),
            (DocumentOperations::Multiple(all), Some(name)) => {
                all.get(name.as_str()).map(|definition| &definition.node)
            }
            (DocumentOperations::Multiple(all), None) => {
                all.values().next().filter(|_| all.len() == 1).map(|definition| &definition.node)
            }
        }
    }

    /// The kinds of all operations of the document.
    pub(super) fn kinds(&self) -> impl Iterator<Item = OperationType> {
        let operations = self.document.iter().flat_map(|document| document.operations.iter());
        operations.map(|(_, definition)| definition.node.ty)
    }

    /// The request for the library.
    pub(super) fn into_request(self) -> Request {
        let mut request = Request::new(self.query).variables(self.variables);
        request.operation_name = self.name;
        if let Ok(document) = self.document {
            request.set_parsed_query(document);
        }
        request
    }

    /// The names of the root's values in a response, in the order of the document, each with the
    /// name of its field. Fragments are walked each time that they are spread; the limits bound
    /// that.
    pub(super) fn root_names(&self) -> IndexMap<Name, Name> {
        fn add(document: &ExecutableDocument, set: &SelectionSet, names: &mut IndexMap<Name, Name>) {
            for selection in &set.items {
                match &selection.node {
                    Selection::Field(field) => {
                        names.entry(field.node.response_key().node.clone()).or_insert(field.node.name.node.clone());
                    }
                    Selection::InlineFragment(fragment) => add(document, &fragment.node.selection_set.node, names),
                    Selection::FragmentSpread(spread) => {
                        if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                            add(document, &fragment.node.selection_set.node, names);
                        }
                    }
                }
            }
        }
        let mut names = IndexMap::new();
        if let (Ok(document), Some(definition)) = (&self.document, self.definition()) {
            add(document, &definition.selection_set.node, &mut names);
        }
        names
    }
}

/// Gives `includeDeprecated` its default where it is null or has a variable without a value. The
/// library takes a Boolean that is not null, and has neither the specification's type nor its rule
/// for such variables. The argument exists in introspection alone.
fn default_include_deprecated(document: &mut ExecutableDocument, variables: &mut Variables) {
    let operations: Vec<&mut SelectionSet> = match &mut document.operations {
        DocumentOperations::Single(definition) => vec![&mut definition.node.selection_set.node],
        DocumentOperations::Multiple(all) => {
            all.values_mut().map(|definition| &mut definition.node.selection_set.node).collect()
        }
    };
    let fragments = document.fragments.values_mut().map(|fragment| &mut fragment.node.selection_set.node);
    let mut sets: Vec<&mut SelectionSet> = operations.into_iter().chain(fragments).collect();
    while let Some(set) = sets.pop() {
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::Field(field) => {
                    let arguments = field.node.arguments.iter_mut();
                    for (_, value) in arguments.filter(|(name, _)| name.node == "includeDeprecated") {
                        if let Argument::Variable(variable) = &value.node {
                            let value = variables.entry(variable.clone()).or_default();
                            if *value == Value::Null {
                                *value = Value::Boolean(false);
                            }
                        } else if value.node == Argument::Null {
                            value.node = Argument::Boolean(false);
                        }
                    }
                    sets.push(&mut field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => sets.push(&mut fragment.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}
