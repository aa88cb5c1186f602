//! One value as a cell that a spreadsheet shows and never computes.

use serde_json::Value;

use super::lists::{Column, Kind};

/// Begins a cell that a spreadsheet would take for a formula otherwise.
const GUARD: char = '\'';

/// Between the items of a list in one cell.
const ITEM_SEPARATOR: &str = "; ";

/// The cell of a column in the row of a node.
pub(super) fn cell(column: &Column, node: &Value) -> String {
    let value = column.places.iter().find_map(|place| {
        let value = node.get(place.name)?;
        let value = place.nested.map_or(Some(value), |nested| value.get(nested))?;
        (!value.is_null()).then_some(value)
    });
    let text = value.map(text).unwrap_or_default();
    match column.kind {
        Kind::Number => text,
        Kind::Text => guarded(&text),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(ITEM_SEPARATOR),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// A text in which no cell begins a formula. Where a comma separates decimals, spreadsheets divide
/// a line at each semicolon, whatever the quotes say; some divide it at tabs.
fn guarded(text: &str) -> String {
    let mut guarded = String::with_capacity(text.len() + 1);
    for part in text.split_inclusive([';', '\t', '\r', '\n']) {
        let begin = part.len() - part.trim_start_matches(' ').len();
        let is_first = guarded.is_empty();
        // Spaces before a formula do not count after a separator.
        let formula = if is_first { part } else { &part[begin..] };
        if begins_formula(formula) && (is_first || formula.len() > 1) {
            guarded.push_str(&part[..part.len() - formula.len()]);
            guarded.push(GUARD);
            guarded.push_str(formula);
        } else {
            guarded.push_str(part);
        }
    }
    guarded
}

/// Whether a spreadsheet may take a text for a formula (OWASP, CSV Injection). The wide forms are
/// those of Chinese, Japanese and Korean keyboards.
fn begins_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::export::lists::List;

    fn shown(list: &str, title: &str, node: &Value) -> String {
        let list = List::of_file(list).unwrap();
        cell(list.columns.iter().find(|column| column.title == title).unwrap(), node)
    }

    #[test]
    fn text_that_begins_a_formula_is_guarded() {
        for (name, expected) in [
            (json!("=1+1"), "'=1+1"),
            (json!("+49 30 1234"), "'+49 30 1234"),
            (json!("-5"), "'-5"),
            (json!("@me"), "'@me"),
            (json!("\tx"), "'\tx"),
            (json!("\rx"), "'\rx"),
            (json!("＝1"), "'＝1"),
            (json!("a=1"), "a=1"),
            (json!(" =1"), " =1"),
            (json!("'=1"), "'=1"),
            (json!("x;=1+1;y"), "x;'=1+1;y"),
            (json!("x; \u{3d}1"), "x; '=1"),
            (json!("a\n-b"), "a\n'-b"),
            (json!("a\r\nb; c"), "a\r\nb; c"),
            (json!(""), ""),
            (Value::Null, ""),
        ] {
            assert_eq!(shown("projects.csv", "name", &json!({ "name": name })), expected);
        }
    }

    #[test]
    fn negative_number_stays_a_number() {
        assert_eq!(shown("proposals.csv", "discount", &json!({ "discount": "-12.00" })), "-12.00");
    }

    #[test]
    fn list_is_one_cell_and_a_place_without_value_gives_way() {
        assert_eq!(shown("projects.csv", "tags", &json!({ "tags": ["-a", "b", "=c"] })), "'-a; b; '=c");
        let of_proposal = json!({ "projectOfProposal": { "name": "Roof" } });
        assert_eq!(shown("events.csv", "project.name", &of_proposal), "Roof");
        assert_eq!(shown("events.csv", "project.name", &json!({ "projectOfProposal": null })), "");
    }
}
