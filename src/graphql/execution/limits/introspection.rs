//! What an introspection costs: the fields of its answer. Its lists are as long as this schema
//! makes them, and each level of `types { fields { type { fields` multiplies them.
//!
//! The objects of introspection are the nodes of a graph, and its fields lead from one to others. A
//! selection is walked with the number of times that each node is reached, so a list costs one pass
//! over its links, however often it is nested.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Value, Variables};
use async_graphql_value::Value as Argument;

use super::introspected::{Input, Schema, TypeRef};

/// The graph of this schema, which is the same in every executor. Without it every introspection is
/// refused.
static GRAPH: OnceLock<Option<Graph>> = OnceLock::new();

/// Builds the graph, once. `schema` gives none if the library does not answer its own
/// introspection, a defect.
pub(crate) fn prepare(schema: impl FnOnce() -> Option<Schema>) {
    GRAPH.get_or_init(|| schema().map(|schema| Graph::build(&schema)));
}

/// The cost of what a field `__schema` or `__type` selects, or a number above `max`.
pub(super) fn cost(document: &ExecutableDocument, field: &Field, variables: &Variables, max: u64) -> u64 {
    let Some(Some(graph)) = GRAPH.get() else { return u64::MAX };
    let mut cost = 0;
    if let Some(reached) = graph.enter(field, variables) {
        graph.add_cost(document, &field.selection_set.node, reached, max, &mut cost);
    }
    cost
}

/// How often each node is reached.
type Reached = Vec<u64>;

/// The objects of introspection of this schema. Node 0 is `__schema`.
#[derive(Default)]
struct Graph {
    nodes: usize,
    /// The node of each type, in the notation of the schema: `[ID!]`.
    types: HashMap<String, usize>,
    /// The links of each field.
    links: HashMap<&'static str, Vec<(usize, usize)>>,
}

impl Graph {
    fn build(schema: &Schema) -> Self {
        let mut graph = Self { nodes: 1, ..Self::default() };
        for definition in &schema.types {
            let node = graph.type_node(&TypeRef::named(&definition.name));
            graph.link("types", 0, node);
            let types = [("interfaces", &definition.interfaces), ("possibleTypes", &definition.possible_types)];
            for (field, named) in
                types.into_iter().flat_map(|(field, types)| types.iter().flatten().map(move |it| (field, it)))
            {
                let other = graph.type_node(&TypeRef::named(&named.name));
                graph.link(field, node, other);
            }
            for _ in definition.enum_values.iter().flatten() {
                graph.add_node("enumValues", node);
            }
            for field in definition.fields.iter().flatten() {
                let of_field = graph.add_node("fields", node);
                graph.link_type(of_field, &field.r#type);
                graph.add_inputs("args", of_field, &field.args);
            }
            graph.add_inputs("inputFields", node, definition.input_fields.as_deref().unwrap_or_default());
        }
        for directive in &schema.directives {
            let node = graph.add_node("directives", 0);
            graph.add_inputs("args", node, &directive.args);
        }
        let roots = [
            ("queryType", Some(&schema.query_type)),
            ("mutationType", schema.mutation_type.as_ref()),
            ("subscriptionType", schema.subscription_type.as_ref()),
        ];
        for (field, root) in roots {
            if let Some(root) = root {
                let node = graph.type_node(&TypeRef::named(&root.name));
                graph.link(field, 0, node);
            }
        }
        graph
    }

    fn link(&mut self, field: &'static str, from: usize, to: usize) {
        self.links.entry(field).or_default().push((from, to));
    }

    fn add_node(&mut self, field: &'static str, from: usize) -> usize {
        let node = self.nodes;
        self.nodes += 1;
        self.link(field, from, node);
        node
    }

    fn add_inputs(&mut self, field: &'static str, from: usize, inputs: &[Input]) {
        for input in inputs {
            let node = self.add_node(field, from);
            self.link_type(node, &input.r#type);
        }
    }

    fn link_type(&mut self, from: usize, of: &TypeRef) {
        let node = self.type_node(of);
        self.link("type", from, node);
    }

    /// The node of a type. A list or a type that is not null has one of its own, from which
    /// `ofType` leads on.
    fn type_node(&mut self, of: &TypeRef) -> usize {
        let mut wrapped = Some(of);
        let (mut first, mut outer) = (None, None);
        while let Some(of) = wrapped {
            let name = of.notation();
            let known = self.types.get(&name).copied();
            let node = known.unwrap_or(self.nodes);
            if known.is_none() {
                self.nodes += 1;
                self.types.insert(name, node);
            }
            first = first.or(Some(node));
            if let Some(outer) = outer {
                self.link("ofType", outer, node);
            }
            if known.is_some() {
                break;
            }
            outer = Some(node);
            wrapped = of.of_type.as_deref();
        }
        first.unwrap_or_default()
    }

    /// The node that a field of the root reaches. `None` for a field that is no introspection.
    fn enter(&self, field: &Field, variables: &Variables) -> Option<Reached> {
        let node = match &*field.name.node {
            "__schema" => Some(0),
            "__type" => {
                let name = match field.get_argument("name").map(|argument| &argument.node) {
                    Some(Argument::String(name)) => Some(name),
                    Some(Argument::Variable(variable)) => match variables.get(variable) {
                        Some(Value::String(name)) => Some(name),
                        _ => None,
                    },
                    _ => None,
                };
                name.and_then(|name| self.types.get(name)).copied()
            }
            _ => None,
        }?;
        let mut reached = vec![0; self.nodes];
        *reached.get_mut(node)? = 1;
        Some(reached)
    }

    /// Adds the cost of a selection. Stops once it is above `max`.
    fn add_cost(&self, document: &ExecutableDocument, set: &SelectionSet, reached: Reached, max: u64, cost: &mut u64) {
        let mut pending = vec![(set, Rc::new(reached))];
        while let Some((set, reached)) = pending.pop() {
            let objects = reached.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
            for item in &set.items {
                if *cost > max || objects == 0 {
                    break;
                }
                match &item.node {
                    Selection::Field(field) => {
                        *cost = cost.saturating_add(objects);
                        let inner = &field.node.selection_set.node;
                        if let Some(links) = self.links.get(&*field.node.name.node).filter(|_| !inner.items.is_empty())
                        {
                            let mut next = vec![0_u64; self.nodes];
                            for (from, to) in links {
                                next[*to] = next[*to].saturating_add(reached[*from]);
                            }
                            pending.push((inner, Rc::new(next)));
                        }
                    }
                    Selection::InlineFragment(fragment) => {
                        pending.push((&fragment.node.selection_set.node, Rc::clone(&reached)));
                    }
                    Selection::FragmentSpread(spread) => {
                        if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                            pending.push((&fragment.node.selection_set.node, Rc::clone(&reached)));
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::complexity::complexity;
    use super::super::introspected::QUERY;
    use super::*;
    use crate::config::Settings;
    use crate::graphql::execution::document::parse;

    /// The cost of an introspection, and the fields of its answer.
    fn cost_and_fields(query: &str) -> (u64, u64) {
        prepare(crate::graphql::introspected_schema);
        let limits = Settings::defaults().unwrap().graphql;
        let document = parse(query, &limits).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let types = crate::graphql::api_types();
        let cost = complexity(&types, &document, &operation.node, &Variables::default(), u64::MAX);
        let schema = crate::graphql::schema_builder().finish();
        let response = futures_util::FutureExt::now_or_never(schema.execute(query)).unwrap();
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        (cost, count_fields(&response.data))
    }

    fn count_fields(value: &Value) -> u64 {
        match value {
            Value::Object(fields) => fields.values().map(|value| 1 + count_fields(value)).sum(),
            Value::List(items) => items.iter().map(count_fields).sum(),
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_) => 0,
        }
    }

    #[test]
    fn cost_is_the_number_of_fields_in_the_answer() {
        for query in [
            "{ __schema { types { name } } }",
            "{ __schema { types { fields(includeDeprecated: true) { type { fields(includeDeprecated: true) { name } } } } } }",
            "{ __type(name: \"Project\") { fields(includeDeprecated: true) { args(includeDeprecated: true) { type { ofType { name } } } } } }",
            "{ a: __type(name: \"Node\") { ...F } __type(name: \"None\") { name } } fragment F on __Type { possibleTypes { interfaces { __typename } ... { kind } } }",
            "{ __schema { queryType { name } mutationType { name } directives { args { type { name ofType { name } } } } } }",
            "{ __schema { types { enumValues(includeDeprecated: true) { name } inputFields(includeDeprecated: true) { type { name } } } } }",
            QUERY,
        ] {
            let (cost, fields) = cost_and_fields(query);
            assert_eq!(cost, fields, "{query}");
        }
    }
}
