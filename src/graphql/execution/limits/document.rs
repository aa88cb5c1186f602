//! The limits of a parsed document and its variables.
//!
//! The library's rules, and the steps here, visit a fragment as often as it is spread. A few
//! hundred bytes of fragments that spread each other would keep a core busy for minutes. Here each
//! fragment is counted once, and its sums count at each spread.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned, ServerError, ServerResult, Variables};
use async_graphql_value::Value as Argument;

use super::nested::{Nested, NestedValues};
use super::{error_with_code, exceeded, exceeded_at};
use crate::config::{Graphql, Introspection};
use crate::graphql::error::{BAD_USER_INPUT, FORBIDDEN, excerpt};

/// How many bytes a value counts besides its text, roughly what it takes in memory.
const VALUE_BYTES: usize = 16;

/// Checks a document and its variables, to which the defaults must be added.
///
/// # Errors
///
/// A limit is exceeded, a fragment spreads itself, or introspection is off and the document has
/// some.
pub(in crate::graphql::execution) fn check_document(
    document: &ExecutableDocument,
    variables: &Variables,
    limits: &Graphql,
) -> ServerResult<()> {
    let refuse = |is_over: bool, problem, setting, max, advice| {
        if is_over { Err(exceeded(problem, setting, max, advice)) } else { Ok(()) }
    };
    let (max, advice) = (limits.max_fragments, "send fewer");
    refuse(document.fragments.len() > max, "the document has more fragments", "max_fragments", max, advice)?;
    let mut walk = Walk { limits, variable_bytes: HashMap::new(), directives: 0, aliases: 0 };
    for (name, value) in variables.iter() {
        let bytes = walk.measure(value, None)?;
        walk.variable_bytes.insert(name, bytes);
    }
    let mut fragments = HashMap::with_capacity(document.fragments.len());
    for (name, fragment) in &document.fragments {
        let mut part = Part::default();
        walk.add_directives(&fragment.node.directives, &mut part)?;
        walk.add_selections(&fragment.node.selection_set.node, &mut part)?;
        fragments.insert(name, part);
    }
    let mut operations = Vec::new();
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        let mut part = Part::default();
        walk.add_directives(&operation.directives, &mut part)?;
        for declared in &operation.variable_definitions {
            walk.add_directives(&declared.node.directives, &mut part)?;
            if let Some(default) = &declared.node.default_value {
                part.sums.value_bytes += walk.measure(&default.node, Some(default.pos))?;
            }
        }
        walk.add_selections(&operation.selection_set.node, &mut part)?;
        operations.push(part);
    }
    let (directives, aliases) = (walk.directives, walk.aliases);
    let max = limits.max_directives;
    refuse(directives > max, "the document has more directives", "max_directives", max, advice)?;
    let max = limits.max_aliases;
    refuse(aliases > max, "the document has more aliases", "max_aliases", max, advice)?;

    let fragment_sums = sum_fragments(&fragments)?;
    let mut document_sums = Sums::default();
    for operation in &operations {
        let sums = operation.total(&fragment_sums);
        document_sums.root_fields = document_sums.root_fields.max(sums.root_fields);
        document_sums.add(&sums);
    }
    // The library's rules also visit fragments that no operation spreads.
    let spread: HashSet<&Name> =
        fragments.values().chain(&operations).flat_map(|part| &part.spreads).map(|spread| spread.fragment).collect();
    for (name, sums) in &fragment_sums {
        if !spread.contains(name) {
            document_sums.add(sums);
        }
    }
    let Sums { fields, root_fields, depth, nesting, value_bytes } = document_sums;
    let (max, problem) = (limits.max_fields, "the query has, with its fragments expanded, more fields");
    refuse(fields > max, problem, "max_fields", max, "select fewer fields")?;
    let (max, problem) = (limits.max_root_fields, "the root of an operation has more fields");
    refuse(root_fields > max, problem, "max_root_fields", max, "send several operations")?;
    let (max, problem) = (limits.max_nesting, "the query is, with its fragments expanded, nested deeper");
    refuse(nesting > max, problem, "max_nesting", max, "nest fewer levels")?;
    let max = limits.max_depth;
    refuse(depth > max, "the query is nested deeper", "max_depth", max, "select fewer levels")?;
    let (max, problem) = (limits.max_value_bytes, "the arguments, with their variables, have more bytes");
    refuse(value_bytes > max, problem, "max_value_bytes", max, "send smaller values, or use them less often")
}

/// What the limits count in an operation or a fragment.
#[derive(Clone, Copy, Default)]
struct Sums {
    fields: usize,
    root_fields: usize,
    /// How deep fields are nested.
    depth: usize,
    /// How deep selections are nested: of fields, of inline fragments and of spread ones.
    nesting: usize,
    value_bytes: usize,
}

impl Sums {
    /// Adds another part of the document, which stands beside this one.
    fn add(&mut self, other: &Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        self.value_bytes = self.value_bytes.saturating_add(other.value_bytes);
    }
}

/// An operation or a fragment: what it has itself, and what it spreads.
#[derive(Default)]
struct Part<'a> {
    sums: Sums,
    spreads: Vec<Spread<'a>>,
}

struct Spread<'a> {
    fragment: &'a Name,
    depth: usize,
    nesting: usize,
}

impl Part<'_> {
    /// The sums with the fragments that this part spreads. Theirs must be there; the library
    /// reports a fragment that does not exist.
    fn total(&self, fragments: &HashMap<&Name, Sums>) -> Sums {
        let mut sums = self.sums;
        for Spread { fragment, depth, nesting } in &self.spreads {
            // The spread itself counts, because the library visits empty fragments too.
            let spread = fragments.get(fragment).copied().unwrap_or_default();
            if *depth == 0 {
                sums.root_fields = sums.root_fields.saturating_add(spread.root_fields);
            }
            sums.add(&Sums {
                fields: spread.fields.saturating_add(1),
                depth: spread.depth.saturating_add(*depth),
                nesting: spread.nesting.saturating_add(*nesting),
                ..spread
            });
        }
        sums
    }
}

/// The sums of each fragment, with those that it spreads.
fn sum_fragments<'a>(fragments: &HashMap<&'a Name, Part<'a>>) -> ServerResult<HashMap<&'a Name, Sums>> {
    let mut sums: HashMap<&Name, Sums> = HashMap::with_capacity(fragments.len());
    // The fragments from a first one down to the one that is summed, each with its next spread.
    let mut path: Vec<(&Name, &Part<'_>, usize)> = Vec::new();
    let mut on_path = HashSet::new();
    for (first, part) in fragments {
        if !sums.contains_key(first) {
            on_path.insert(*first);
            path.push((first, part, 0));
        }
        while let Some((name, part, next)) = path.last_mut() {
            let Some(spread) = part.spreads.get(*next) else {
                sums.insert(name, part.total(&sums));
                on_path.remove(*name);
                path.pop();
                continue;
            };
            *next += 1;
            let Some(part) = fragments.get(spread.fragment) else { continue };
            if sums.contains_key(spread.fragment) {
                continue;
            }
            if !on_path.insert(spread.fragment) {
                let problem =
                    format!("the fragment {} spreads itself; remove the cycle", excerpt(spread.fragment.as_str()));
                return Err(error_with_code(problem, BAD_USER_INPUT));
            }
            path.push((spread.fragment, part, 0));
        }
    }
    Ok(sums)
}

/// One walk over a whole document.
struct Walk<'a> {
    limits: &'a Graphql,
    variable_bytes: HashMap<&'a Name, usize>,
    directives: usize,
    aliases: usize,
}

impl<'a> Walk<'a> {
    fn add_selections(&mut self, set: &'a SelectionSet, part: &mut Part<'a>) -> ServerResult<()> {
        let mut pending = vec![(set, 0, 1)];
        while let Some((set, depth, nesting)) = pending.pop() {
            part.sums.nesting = part.sums.nesting.max(nesting);
            for item in &set.items {
                self.add_directives(item.node.directives(), part)?;
                match &item.node {
                    Selection::Field(field) => {
                        part.sums.fields += 1;
                        part.sums.root_fields += usize::from(depth == 0);
                        self.add_field(field, part)?;
                        if field.node.name.node != "__typename" {
                            part.sums.depth = part.sums.depth.max(depth + 1);
                        }
                        let inner = &field.node.selection_set.node;
                        if !inner.items.is_empty() {
                            pending.push((inner, depth + 1, nesting + 1));
                        }
                    }
                    Selection::InlineFragment(fragment) => {
                        part.sums.fields += 1;
                        pending.push((&fragment.node.selection_set.node, depth, nesting + 1));
                    }
                    Selection::FragmentSpread(spread) => {
                        part.spreads.push(Spread { fragment: &spread.node.fragment_name.node, depth, nesting });
                    }
                }
            }
        }
        Ok(())
    }

    fn add_field(&mut self, field: &'a Positioned<Field>, part: &mut Part<'a>) -> ServerResult<()> {
        let Field { name, alias, arguments, .. } = &field.node;
        if matches!(&*name.node, "__schema" | "__type") && self.limits.introspection == Introspection::Off {
            let problem = "introspection is off (graphql.introspection); read schema.graphql instead";
            let error = error_with_code(problem.to_owned(), FORBIDDEN);
            return Err(ServerError { locations: vec![field.pos], ..error });
        }
        self.aliases += usize::from(alias.is_some());
        self.add_arguments(arguments, field.pos, part)
    }

    fn add_directives(&mut self, directives: &'a [Positioned<Directive>], part: &mut Part<'a>) -> ServerResult<()> {
        self.directives += directives.len();
        for directive in directives {
            self.add_arguments(&directive.node.arguments, directive.pos, part)?;
        }
        Ok(())
    }

    fn add_arguments(
        &self,
        arguments: &'a [(Positioned<Name>, Positioned<Argument>)],
        pos: Pos,
        part: &mut Part<'a>,
    ) -> ServerResult<()> {
        let max = self.limits.max_arguments;
        if arguments.len() > max {
            return Err(exceeded_at(pos, "a field has more arguments", "max_arguments", max, "send fewer"));
        }
        for (_, value) in arguments {
            let bytes = self.measure(&value.node, Some(value.pos))?;
            part.sums.value_bytes = part.sums.value_bytes.saturating_add(bytes);
        }
        Ok(())
    }

    /// The size of a value, with the variables in it.
    fn measure<V: Nested>(&self, value: &V, pos: Option<Pos>) -> ServerResult<usize> {
        let over = |problem, setting, max, advice| {
            let error = exceeded(problem, setting, max, advice);
            ServerError { locations: pos.into_iter().collect(), ..error }
        };
        let mut bytes = 0_usize;
        let mut pending = vec![(value, 0)];
        while let Some((value, depth)) = pending.pop() {
            let (text, max) = (value.text_bytes(&self.variable_bytes), self.limits.max_list_items);
            bytes = bytes.saturating_add(VALUE_BYTES).saturating_add(text);
            match value.nested() {
                NestedValues::None => continue,
                NestedValues::List(items) if items.len() > max => {
                    return Err(over("a list has more items", "max_list_items", max, "send it in parts"));
                }
                NestedValues::List(items) => pending.extend(items.iter().map(|item| (item, depth + 1))),
                NestedValues::Object(fields) => {
                    bytes = bytes.saturating_add(fields.keys().map(|name| name.len()).sum());
                    pending.extend(fields.values().map(|value| (value, depth + 1)));
                }
            }
            let max = self.limits.max_nesting;
            if depth >= max {
                return Err(over("a value is nested deeper", "max_nesting", max, "nest fewer levels"));
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Settings;
    use crate::graphql::execution::document::parse;

    fn check(document: &str, variables: serde_json::Value, limits: &Graphql) -> ServerResult<()> {
        let document = parse(document, &Settings::defaults().unwrap().graphql).unwrap();
        check_document(&document, &Variables::from_json(variables), limits)
    }

    /// A limit.
    type Field = fn(&mut Graphql) -> &mut usize;

    #[test]
    fn limit_is_the_greatest_number_that_passes() {
        let fields: Field = |limits| &mut limits.max_fields;
        let root_fields: Field = |limits| &mut limits.max_root_fields;
        let fragments: Field = |limits| &mut limits.max_fragments;
        let directives: Field = |limits| &mut limits.max_directives;
        let aliases: Field = |limits| &mut limits.max_aliases;
        let arguments: Field = |limits| &mut limits.max_arguments;
        let items: Field = |limits| &mut limits.max_list_items;
        let bytes: Field = |limits| &mut limits.max_value_bytes;
        let nesting: Field = |limits| &mut limits.max_nesting;
        let depth: Field = |limits| &mut limits.max_depth;
        let none = json!({});
        for (document, variables, limit, count) in [
            ("{ a b { c } }", &none, fields, 3),
            ("{ ...f x { ...f } } fragment f on T { a b }", &none, fields, 2 * 3 + 1),
            ("{ ... on T { a } }", &none, fields, 2),
            ("query A { a } query B { a }", &none, fields, 2),
            ("{ a } fragment f on T { ...g } fragment g on T { a b }", &none, fields, 1 + 3),
            ("{ a b { c d } }", &none, root_fields, 2),
            ("{ a ...f } fragment f on T { b c { d } ... { e } }", &none, root_fields, 4),
            ("query A { a } query B { a b }", &none, root_fields, 2),
            ("{ a { ...f } } fragment f on T { b c }", &none, root_fields, 1),
            ("{ a } fragment f on T { a } fragment g on T { a }", &none, fragments, 2),
            ("query ($v: I @d) @d { a @d @e ... @d { a } ...f @d } fragment f on T @d { a }", &none, directives, 7),
            ("{ x: a { y: b } } fragment f on T { z: a }", &none, aliases, 3),
            ("{ a(b: 1, c: 2) }", &none, arguments, 2),
            ("{ a @d(b: 1, c: 2, d: 3) }", &none, arguments, 3),
            ("{ a(b: { c: [1, 2] }) }", &none, items, 2),
            ("query ($v: [I] = [1, 2, 3]) { a }", &none, items, 3),
            ("{ a }", &json!({ "v": [{ "w": [1, 2, 3, 4] }] }), items, 4),
            ("{ a(b: \"12345\") }", &none, bytes, 16 + 5),
            ("{ a(b: $v) c(d: [$v]) }", &json!({ "v": "12345" }), bytes, 3 * 16 + 2 * (16 + 5)),
            (
                "{ x: a { ...f } ...g } fragment f on T { a(b: $v) } fragment g on T { a { ...f } }",
                &json!({ "v": 1 }),
                bytes,
                2 * 32,
            ),
            ("{ a(b: { cd: E }) }", &none, bytes, 16 + 2 + 16 + 1),
            ("{ a { b } }", &none, nesting, 2),
            ("{ a { ...f } } fragment f on T { ... { a { b } } }", &none, nesting, 5),
            ("{ a }", &json!({ "v": [[[1]]] }), nesting, 3),
            ("{ a { b __typename } }", &none, depth, 2),
            ("{ a { ...f } } fragment f on T { ... { a { b { __typename } } } }", &none, depth, 3),
        ] {
            let mut limits = Settings::defaults().unwrap().graphql;
            *limit(&mut limits) = count;
            check(document, variables.clone(), &limits).unwrap_or_else(|error| panic!("{document}: {error}"));
            *limit(&mut limits) = count - 1;
            let error = check(document, variables.clone(), &limits).unwrap_err();
            assert!(error.message.contains(&format!("({})", count - 1)), "{document}: {error}");
        }
    }

    #[test]
    fn fragments_that_double_are_counted_once_each() {
        use std::fmt::Write;
        let mut document = String::from("{ a { ...f0 } }");
        for level in 0..40 {
            let next = level + 1;
            write!(document, " fragment f{level} on T {{ ...f{next} ...f{next} }}").unwrap();
        }
        document += " fragment f40 on T { a }";
        let mut limits = Settings::defaults().unwrap().graphql;
        limits.max_fields = 1 << 41;
        assert!(check(&document, json!({}), &limits).is_err());
        limits.max_fields = 1 << 42;
        check(&document, json!({}), &limits).unwrap();
    }

    #[test]
    fn fragment_cycle_is_refused() {
        for document in
            ["{ ...f } fragment f on T { ...g } fragment g on T { ...f }", "{ a } fragment f on T { b { ...f } }"]
        {
            let error = check(document, json!({}), &Settings::defaults().unwrap().graphql).unwrap_err();
            assert!(error.message.contains("spreads itself"), "{error}");
        }
    }
}
