//! A request whose document is parsed, and the operation in it that is to run. Every later step
//! reads the operation from here: its kind, its variables with their defaults, its root fields.

use std::borrow::Cow;
use std::collections::HashSet;

use async_graphql::indexmap::IndexSet;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, Request, ServerError, ServerResult, Value, Variables};
use async_graphql_value::Value as Argument;

use super::selection::collect_fields::merge_field;

/// A GraphQL request that is understood as far as its document can be parsed.
#[derive(Clone, Debug)]
pub struct Operation {
    query: String,
    name: Option<String>,
    variables: Variables,
    /// `None` if the document cannot be parsed. The library then reports the fault.
    document: Option<ExecutableDocument>,
    /// Whether the request has the hash of a document in its place.
    is_hash_only: bool,
}

/// The member of a request's `extensions` that holds the hash of its document.
pub const PERSISTED_QUERY: &str = "persistedQuery";

impl Operation {
    /// Parses the document of a request, and adds the defaults of the variables that it does not
    /// give: the library evaluates `@skip` and `@include` by the given variables alone.
    #[must_use]
    pub fn read(request: Request) -> Self {
        let Request { query, operation_name: name, variables, extensions, .. } = request;
        let is_hash_only = query.is_empty() && extensions.contains_key(PERSISTED_QUERY);
        let document = parse_query(&query).ok();
        let mut operation = Self { query, name, variables, document, is_hash_only };
        let definitions = operation.definition().map(|definition| definition.variable_definitions.clone());
        for definition in definitions.into_iter().flatten() {
            if let Some(default) = definition.node.default_value {
                operation.variables.entry(definition.node.name.node).or_insert(default.node);
            }
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

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) const fn variables(&self) -> &Variables {
        &self.variables
    }

    pub(super) const fn document(&self) -> Option<&ExecutableDocument> {
        self.document.as_ref()
    }

    /// The definition that runs: the one of the request's name, or the only one.
    pub(crate) fn definition(&self) -> Option<&OperationDefinition> {
        match (&self.document.as_ref()?.operations, &self.name) {
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
        if let Some(document) = self.document {
            request.set_parsed_query(document);
        }
        request
    }

    /// The names of the root's values in a response, in the order of the document. The number of
    /// fields must have been checked: fragments are walked each time that they are spread.
    pub(super) fn root_names(&self) -> Vec<Name> {
        fn add(document: &ExecutableDocument, set: &SelectionSet, names: &mut IndexSet<Name>) {
            for selection in &set.items {
                match &selection.node {
                    Selection::Field(field) => drop(names.insert(field.node.response_key().node.clone())),
                    Selection::InlineFragment(fragment) => add(document, &fragment.node.selection_set.node, names),
                    Selection::FragmentSpread(spread) => {
                        if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                            add(document, &fragment.node.selection_set.node, names);
                        }
                    }
                }
            }
        }
        let mut names = IndexSet::new();
        if let (Some(document), Some(definition)) = (&self.document, self.definition()) {
            add(document, &definition.selection_set.node, &mut names);
        }
        names.into_iter().collect()
    }

    /// Inlines and merges the root of a subscription, of which the library would run each field as
    /// a subscription of its own. The number of fields must have been checked.
    ///
    /// # Errors
    ///
    /// The root has more than one field (specification, 5.2.3.1), or fields that cannot be merged.
    pub(super) fn merge_subscription_root(&mut self) -> ServerResult<()> {
        let Some(definition) = self.definition().filter(|it| it.ty == OperationType::Subscription) else {
            return Ok(());
        };
        let items = &definition.selection_set.node.items;
        if let [Positioned { node: Selection::Field(_), .. }] = items.as_slice() {
            return Ok(());
        }
        let mut fields = Vec::new();
        if !self.inline(&definition.selection_set.node, &mut fields)? {
            return Ok(());
        }
        if let Some(second) = fields.get(1) {
            let problem = "a subscription must have exactly one root field; send each field as its own subscription";
            return Err(ServerError::new(problem, Some(second.pos)));
        }
        let merged = fields.into_iter().map(|field| {
            let pos = field.pos;
            Positioned::new(Selection::Field(field.into_owned()), pos)
        });
        let merged = merged.collect();
        let before = self.spread_fragments();
        if let Some(definition) = self.definition_mut() {
            definition.selection_set.node.items = merged;
        }
        // A fragment that only the root spread is unused now, and the library would refuse the
        // document for it.
        let after = self.spread_fragments();
        if let Some(document) = &mut self.document {
            document.fragments.retain(|name, _| after.contains(name) || !before.contains(name));
        }
        Ok(())
    }

    /// Adds the fields of a subscription's root. Returns false if the library will refuse the
    /// selection.
    fn inline<'a>(&'a self, set: &'a SelectionSet, fields: &mut Vec<Cow<'a, Positioned<Field>>>) -> ServerResult<bool> {
        for selection in &set.items {
            let (condition, directives, set) = match &selection.node {
                Selection::Field(field) => {
                    if !self.is_skipped(&field.node.directives) {
                        merge_field(field, fields)?;
                    }
                    continue;
                }
                Selection::FragmentSpread(spread) => {
                    let fragments = self.document.as_ref().map(|document| &document.fragments);
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = fragments.and_then(|fragments| fragments.get(name)) else { return Ok(false) };
                    let condition = Some(&fragment.node.type_condition);
                    (condition, &spread.node.directives, &fragment.node.selection_set.node)
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    (condition, &fragment.node.directives, &fragment.node.selection_set.node)
                }
            };
            if condition.is_some_and(|condition| condition.node.on.node != "Subscription") {
                return Ok(false);
            }
            if !self.is_skipped(directives) && !self.inline(set, fields)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let skips = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = match directive.node.get_argument("if").map(|argument| &argument.node) {
                Some(Argument::Boolean(condition)) => Some(*condition),
                Some(Argument::Variable(name)) => match self.variables.get(name) {
                    Some(Value::Boolean(condition)) => Some(*condition),
                    _ => None,
                },
                _ => None,
            };
            condition == Some(skips)
        })
    }

    fn definition_mut(&mut self) -> Option<&mut OperationDefinition> {
        match (&mut self.document.as_mut()?.operations, &self.name) {
            (DocumentOperations::Single(definition), _) => Some(&mut definition.node),
            (DocumentOperations::Multiple(all), Some(name)) => {
                all.get_mut(name.as_str()).map(|definition| &mut definition.node)
            }
            (DocumentOperations::Multiple(all), None) => all.values_mut().next().map(|definition| &mut definition.node),
        }
    }

    /// The fragments that the operations of the document spread, directly or through others.
    fn spread_fragments(&self) -> HashSet<Name> {
        let mut found = HashSet::new();
        let Some(document) = &self.document else { return found };
        let mut sets: Vec<&SelectionSet> =
            document.operations.iter().map(|(_, definition)| &definition.node.selection_set.node).collect();
        while let Some(set) = sets.pop() {
            for item in &set.items {
                match &item.node {
                    Selection::Field(field) => sets.push(&field.node.selection_set.node),
                    Selection::InlineFragment(fragment) => sets.push(&fragment.node.selection_set.node),
                    Selection::FragmentSpread(spread) => {
                        let name = &spread.node.fragment_name.node;
                        if found.insert(name.clone())
                            && let Some(fragment) = document.fragments.get(name)
                        {
                            sets.push(&fragment.node.selection_set.node);
                        }
                    }
                }
            }
        }
        found
    }
}
