//! The limit on the fields of a document, checked before the library validates it.
//!
//! The library's own rules visit a fragment as often as it is spread. A few hundred bytes of
//! fragments that spread each other keep a core busy for minutes. Here each fragment is counted
//! once.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{ErrorExtensionValues, Name, ServerError};

use crate::graphql::error::{BAD_USER_INPUT, LIMIT_EXCEEDED};

/// The library's messages for a query that exceeds its limits. They name neither the setting nor
/// the number.
pub(super) const TOO_COMPLEX_MESSAGE: &str = "Query is too complex.";
pub(super) const TOO_DEEP_MESSAGE: &str = "Query is nested too deep.";

/// Refuses a document that has more than `max` fields, with fragments expanded.
pub(super) fn check_field_count(document: &ExecutableDocument, max: usize) -> Result<(), ServerError> {
    let cycle = |FragmentCycle(name)| {
        error_with_code(format!("the fragment {name} spreads itself; remove the cycle"), BAD_USER_INPUT)
    };
    if count_fields(document).map_err(cycle)? > max {
        let message = format!(
            "the query has, with its fragments expanded, more fields than graphql.max_fields ({max}); select fewer fields"
        );
        return Err(error_with_code(message, LIMIT_EXCEEDED));
    }
    Ok(())
}

/// The error that refuses a request, with its code.
pub(super) fn error_with_code(message: String, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
    error
}

/// A fragment that spreads itself, directly or through others.
#[derive(Debug, PartialEq, Eq)]
struct FragmentCycle(Name);

/// The state of a fragment's count.
enum FragmentCount {
    InProgress,
    Done(usize),
}

/// How many fields all operations of a document have, with fragments expanded.
fn count_fields(document: &ExecutableDocument) -> Result<usize, FragmentCycle> {
    let mut fragments = HashMap::new();
    let mut fields = 0_usize;
    for (_, operation) in document.operations.iter() {
        fields =
            fields.saturating_add(count_selection_set(document, &operation.node.selection_set.node, &mut fragments)?);
    }
    // The library's rules also visit fragments that no operation spreads.
    for name in document.fragments.keys() {
        count_fragment(document, name, &mut fragments)?;
    }
    Ok(fields)
}

fn count_selection_set<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    fragments: &mut HashMap<&'a Name, FragmentCount>,
) -> Result<usize, FragmentCycle> {
    let mut fields = 0_usize;
    for selection in &set.items {
        let more = match &selection.node {
            Selection::Field(field) => {
                count_selection_set(document, &field.node.selection_set.node, fragments)?.saturating_add(1)
            }
            Selection::InlineFragment(inline) => {
                count_selection_set(document, &inline.node.selection_set.node, fragments)?.saturating_add(1)
            }
            Selection::FragmentSpread(spread) => {
                // The spread itself counts, because the library visits empty fragments too.
                count_fragment(document, &spread.node.fragment_name.node, fragments)?.saturating_add(1)
            }
        };
        fields = fields.saturating_add(more);
    }
    Ok(fields)
}

fn count_fragment<'a>(
    document: &'a ExecutableDocument,
    name: &'a Name,
    fragments: &mut HashMap<&'a Name, FragmentCount>,
) -> Result<usize, FragmentCycle> {
    match fragments.get(name) {
        Some(FragmentCount::Done(fields)) => return Ok(*fields),
        Some(FragmentCount::InProgress) => return Err(FragmentCycle(name.clone())),
        None => {}
    }
    // The library reports a fragment that does not exist.
    let Some(fragment) = document.fragments.get(name) else { return Ok(0) };
    fragments.insert(name, FragmentCount::InProgress);
    let fields = count_selection_set(document, &fragment.node.selection_set.node, fragments)?;
    fragments.insert(name, FragmentCount::Done(fields));
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn field_count(query: &str) -> Result<usize, FragmentCycle> {
        count_fields(&parse_query(query).unwrap())
    }

    #[test]
    fn fragment_fields_count_at_each_spread() {
        assert_eq!(field_count("{ a b { c } }"), Ok(3));
        assert_eq!(field_count("{ ...f x { ...f } } fragment f on T { a b }"), Ok(2 * 3 + 1));
        assert_eq!(field_count("{ ... on T { a } }"), Ok(2));
        assert_eq!(field_count("query A { a } query B { a }"), Ok(2));
    }

    #[test]
    fn fragment_bomb_is_counted_once_per_fragment() {
        use std::fmt::Write;
        let mut bomb = String::from("{ ...f0 }");
        for level in 0..60 {
            let next = level + 1;
            write!(bomb, " fragment f{level} on T {{ ...f{next} ...f{next} }}").unwrap();
        }
        bomb += " fragment f60 on T { a }";
        assert!(field_count(&bomb).unwrap() > 1 << 60);
    }

    #[test]
    fn fragment_cycle_is_detected() {
        assert!(field_count("{ ...f } fragment f on T { ...g } fragment g on T { ...f }").is_err());
        assert!(field_count("{ a } fragment f on T { ...f }").is_err());
    }
}
