//! Parses a document. The library's parser knows an earlier edition of the specification. What it
//! lacks of the edition of September 2025 is put into its terms here, before it parses:
//!
//! * A description of an operation, a fragment or a variable becomes white space (2.3, 2.10).
//! * The escapes `\u{1F600}` and `\ud83d\ude00` in a string become the character (2.9.4).
//!
//! Every token keeps its line and column, so the positions of errors stay right.
//!
//! The library also accepts some documents that the specification does not. Those are refused here,
//! because the parsed document no longer shows it.

use std::borrow::Cow;
use std::collections::HashSet;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Pos, ServerError};

use super::lexer::{Token, TokenKind, Tokens};
use super::limits::check_text;
use crate::config::Graphql;
use crate::graphql::error::excerpt;

/// The words that begin a definition.
const DEFINITION_WORDS: [&str; 4] = ["query", "mutation", "subscription", "fragment"];

/// Parses a document.
///
/// # Errors
///
/// The document exceeds a limit of its text, it cannot be parsed, or an object in it has a field
/// twice.
pub(super) fn parse(document: &str, limits: &Graphql) -> Result<ExecutableDocument, ServerError> {
    check_text(document, limits)?;
    parse_query(normalise(document)?).map_err(|error| {
        let mut error = ServerError::from(error);
        // A syntax error repeats the whole line of the document, and ends with what is expected.
        let (is_syntax_error, last) = (error.message.contains('\n'), error.message.lines().last().unwrap_or_default());
        error.message = if is_syntax_error {
            let expected = last.trim_start_matches([' ', '=']).replace('_', " ");
            format!("the document cannot be parsed: {expected}")
        } else {
            excerpt(&error.message).into_owned()
        };
        error
    })
}

/// An open bracket.
enum Bracket<'a> {
    /// Arguments or variable definitions: everything within is a value or a type.
    Parenthesis,
    List,
    Selection,
    /// An object value, with the names of its fields so far.
    Object(HashSet<&'a str>),
}

/// The document in the terms of the library's parser.
fn normalise(document: &str) -> Result<Cow<'_, str>, ServerError> {
    let mut normalised = Normalised { document, copied: 0, text: String::new() };
    let mut brackets: Vec<Bracket<'_>> = Vec::new();
    let mut open_parentheses = 0_usize;
    let mut previous: Option<Token<'_>> = None;
    let mut tokens = Tokens::new(document).peekable();
    while let Some(token) = tokens.next() {
        let next = tokens.peek();
        let follows = |sign| previous.is_some_and(|previous| previous.is(sign));
        match token.kind {
            TokenKind::Text | TokenKind::BlockText => {
                let is_description = match brackets.as_slice() {
                    [] => next.is_some_and(|next| next.kind == TokenKind::Name),
                    [Bracket::Parenthesis] => !follows(":") && !follows("=") && next.is_some_and(|next| next.is("$")),
                    _ => false,
                };
                if is_description && normalised.hide(&token) {
                    continue;
                }
                if token.kind == TokenKind::Text {
                    normalised.decode(&token);
                }
            }
            TokenKind::Name => {
                let is_first = brackets.is_empty() && (previous.is_none() || follows("}"));
                if is_first && !DEFINITION_WORDS.contains(&token.text) {
                    let problem = format!(
                        "a definition begins with query, mutation, subscription, fragment or {{, not with {}",
                        excerpt(token.text)
                    );
                    return Err(ServerError::new(problem, Some(position(document, token.start))));
                }
                if let Some(Bracket::Object(fields)) = brackets.last_mut()
                    && next.is_some_and(|next| next.is(":"))
                    && !fields.insert(token.text)
                {
                    let problem = format!("an object has the field {} twice; give it once", excerpt(token.text));
                    return Err(ServerError::new(problem, Some(position(document, token.start))));
                }
            }
            TokenKind::Sign => match token.text {
                "(" => {
                    open_parentheses += 1;
                    brackets.push(Bracket::Parenthesis);
                }
                "[" => brackets.push(Bracket::List),
                // Objects stand in parentheses, selections do not.
                "{" if open_parentheses > 0 => brackets.push(Bracket::Object(HashSet::new())),
                "{" => brackets.push(Bracket::Selection),
                ")" if follows("(") => {
                    let problem = "the parentheses are empty; leave them out";
                    return Err(ServerError::new(problem, Some(position(document, token.start))));
                }
                ")" | "]" | "}" => {
                    if matches!(brackets.pop(), Some(Bracket::Parenthesis)) {
                        open_parentheses -= 1;
                    }
                }
                _ => {}
            },
            TokenKind::Number => {
                let digits = token.text.trim_start_matches('-').as_bytes();
                if matches!(digits, [b'0', b'0'..=b'9', ..]) {
                    let problem = format!("the number {} begins with 0; leave it out", excerpt(token.text));
                    return Err(ServerError::new(problem, Some(position(document, token.start))));
                }
            }
        }
        previous = Some(token);
    }
    Ok(normalised.finish())
}

/// The document so far. It is copied from the first token on that changes.
struct Normalised<'a> {
    document: &'a str,
    /// How many bytes of the document are in `text`.
    copied: usize,
    text: String,
}

impl<'a> Normalised<'a> {
    /// Puts white space in the place of a string. Returns false if the string is malformed.
    fn hide(&mut self, token: &Token<'_>) -> bool {
        if !is_well_formed(token) {
            return false;
        }
        self.copy_to(token.start);
        self.text.extend(token.text.chars().map(|letter| if matches!(letter, '\n' | '\r') { letter } else { ' ' }));
        self.copied = token.start + token.text.len();
        true
    }

    /// Decodes the escapes in a string that the parser does not know.
    fn decode(&mut self, token: &Token<'_>) {
        let Some(decoded) = decode_escapes(token.text) else { return };
        self.copy_to(token.start);
        self.text.push_str(&decoded);
        // What follows keeps its column.
        let shorter = token.text.chars().count().saturating_sub(decoded.chars().count());
        self.text.extend(std::iter::repeat_n(' ', shorter));
        self.copied = token.start + token.text.len();
    }

    fn copy_to(&mut self, end: usize) {
        self.text.push_str(&self.document[self.copied..end]);
        self.copied = end;
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.document);
        }
        self.copy_to(self.document.len());
        Cow::Owned(self.text)
    }
}

/// Whether the parser accepts a string, once its escapes are decoded.
fn is_well_formed(token: &Token<'_>) -> bool {
    let text = if token.kind == TokenKind::Text { decode_escapes(token.text) } else { None };
    parse_query(format!("{{a(a:{})}}", text.as_deref().unwrap_or(token.text))).is_ok()
}

/// A string with its escapes of surrogate pairs and of code points in braces decoded. `None` if it
/// has none. A malformed escape stays, and the parser reports it.
fn decode_escapes(text: &str) -> Option<String> {
    let mut decoded = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(found) = text[from..].find('\\') {
        let start = from + found;
        let escape = &text[start..];
        if let Some((character, length)) = decode_escape(escape) {
            decoded.push_str(&text[copied..start]);
            match character {
                '"' => decoded.push_str("\\\""),
                '\\' => decoded.push_str("\\\\"),
                '\n' => decoded.push_str("\\n"),
                '\r' => decoded.push_str("\\r"),
                character => decoded.push(character),
            }
            from = start + length;
            copied = from;
        } else {
            // The character after the backslash belongs to the escape.
            from = start + 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
        }
    }
    if copied == 0 {
        return None;
    }
    decoded.push_str(&text[copied..]);
    Some(decoded)
}

/// The character of an escape, and the length of the escape in bytes.
fn decode_escape(escape: &str) -> Option<(char, usize)> {
    let code_point = escape.strip_prefix("\\u")?;
    if let Some(braced) = code_point.strip_prefix('{') {
        let digits = &braced[..braced.find('}')?];
        let character = char::from_u32(hexadecimal(digits)?)?;
        return Some((character, "\\u{}".len() + digits.len()));
    }
    let high = hexadecimal(code_point.get(..4)?)?;
    let low = hexadecimal(code_point[4..].strip_prefix("\\u")?.get(..4)?)?;
    let units = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    // Two units that are one character are a surrogate pair.
    let mut characters = char::decode_utf16(units);
    let character = characters.next()?.ok()?;
    characters.next().is_none().then_some((character, 12))
}

/// A number of hexadecimal digits alone: `from_str_radix` would also accept a sign.
fn hexadecimal(digits: &str) -> Option<u32> {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// The line and column of a byte, as the library counts them.
pub(super) fn position(document: &str, byte: usize) -> Pos {
    let before = &document[..byte];
    let line_start = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    Pos { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::types::{DocumentOperations, Selection};
    use async_graphql_value::Value;
    use proptest::prelude::*;

    use super::parse as parse_within;
    use super::*;
    use crate::config::Settings;

    fn parse(document: &str) -> Result<ExecutableDocument, ServerError> {
        parse_within(document, &Settings::defaults().unwrap().graphql)
    }

    /// The first argument of the first field, and the column of the second field.
    fn argument(document: &str) -> Option<(Value, usize)> {
        let document = parse(document).ok()?;
        let DocumentOperations::Single(operation) = document.operations else { return None };
        let items = &operation.node.selection_set.node.items;
        let Selection::Field(field) = &items[0].node else { return None };
        Some((field.node.arguments[0].1.node.clone(), items[1].pos.column))
    }

    #[test]
    fn escapes_of_code_points_are_decoded_and_columns_stay() {
        for (text, expected) in [
            (r"\ud83d\ude00", "😀"),
            (r"a\u{1F600}b\u{9}\u{22}\u{5c}\u{a}\u{d}\u0041", "a😀b\t\"\\\n\rA"),
            (r"\\u{41}", r"\u{41}"),
            (r"\u{10FFFF}", "\u{10ffff}"),
            ("😀", "😀"),
        ] {
            let document = format!("{{ a(x: \"{text}\") b }}");
            let column = document[..document.rfind('b').unwrap()].chars().count() + 1;
            assert_eq!(argument(&document), Some((Value::String(expected.to_owned()), column)), "{document}");
        }
        assert_eq!(argument(r#"{ a(x: """\u{1F600}""") b }"#).unwrap().0, Value::String(r"\u{1F600}".to_owned()));
    }

    #[test]
    fn malformed_escape_is_refused() {
        for text in [
            r"\ud83d",
            r"\ude00\ud83d",
            r"\u{110000}",
            r"\u{d83d}",
            r"\u{}",
            r"\u{12",
            r"\u{+1}",
            r"\ud83d\u0041",
            r"\x",
        ] {
            let document = format!("{{ a(x: \"{text}\") }}");
            assert!(parse(&document).is_err(), "{document}");
        }
    }

    #[test]
    fn descriptions_of_definitions_are_ignored_and_lines_stay() {
        let document = "\"An \\u{6f}peration.\" query Q(\"\"\"\nA\nvariable.\n\"\"\" $a: Int = 1, \"Another.\" $b: [Int!]! \"A third.\" $c: Int) { a }
            \"\"\"A \\u{ fragment.\"\"\" fragment F on T { x }";
        let parsed = parse(document).unwrap();
        let DocumentOperations::Multiple(operations) = &parsed.operations else { panic!() };
        let variables = &operations["Q"].node.variable_definitions;
        assert_eq!(variables.iter().map(|variable| variable.pos.line).collect::<Vec<_>>(), [4, 4, 4]);
        assert_eq!(parsed.fragments["F"].pos.line, 5);
    }

    #[test]
    fn text_in_another_place_is_refused() {
        for document in [
            r#""shorthand" { a }"#,
            r#"query { "field" a }"#,
            r#"query Q { a(x: "x" $y) }"#,
            r#"query Q @d(x: "x" $y) { a }"#,
            r#"query Q($a: String = $b) { a }"#,
            r#""two" "texts" query { a }"#,
            r#""\q" query { a }"#,
            r#"query { a } "last""#,
        ] {
            assert!(parse(document).is_err(), "{document}");
        }
    }

    #[test]
    fn syntax_error_says_what_is_expected_and_repeats_no_line() {
        let document = format!("{{ a(x: }}) # {}", "x".repeat(10_000));
        let error = parse(&document).unwrap_err();
        assert!(error.message.starts_with("the document cannot be parsed: expected "), "{error}");
        assert!(error.message.len() < 300, "{error}");
        assert_eq!(error.locations, [Pos { line: 1, column: 8 }]);
        let name = "x".repeat(10_000);
        assert!(parse(&format!("query {name} {{ a }} query {name} {{ a }}")).unwrap_err().message.len() < 300);
    }

    #[test]
    fn document_that_the_library_would_misread_is_refused() {
        for (document, column) in [
            ("{ a(x: { b: 1, b: 2 }) }", 16),
            ("{ a(x: [{ b: { c: 1 }, d: { c: 1, c: 2 } }]) }", 35),
            ("query ($x: I = { b: 1 b: 1 }) { a }", 23),
            ("query () { a }", 8),
            ("{ a(x: [1, 00]) }", 12),
            ("queryFoo { a }", 1),
            ("{ a } fragmentF on T { a }", 7),
        ] {
            let error = parse(document).unwrap_err();
            assert_eq!(error.locations, [Pos { line: 1, column }], "{document}: {error}");
        }
        for document in
            ["{ a(x: { b: 1, c: { b: 1 } }) { b: a b: a } }", "{ a(x: [{ b: 1 }, { b: 1 }]) }", "{ a(x: { b: b }) }"]
        {
            assert!(parse(document).is_ok(), "{document}");
        }
    }

    proptest! {
        #[test]
        fn normalise_of_any_text_never_panics(document in r#"(\PC|[\n\r"\\{}()$:]|\\u|d83d|query ){0,40}"#) {
            let _ = normalise(&document);
        }
    }
}
