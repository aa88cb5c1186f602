//! Splits a document into tokens (specification, 2.1), without recursion and without a copy.

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A sign such as `{` or `:`, also one that GraphQL does not know. `...` is three of them.
    Sign,
    Name,
    Number,
    /// A string in single quotation marks.
    Text,
    /// A string in triple quotation marks.
    BlockText,
}

/// A token, and the byte at which it starts in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }
}

/// The tokens of a document. White space, commas and comments are left out. A string that does not
/// end is the last token.
pub(super) struct Tokens<'a> {
    document: &'a str,
    position: usize,
}

impl<'a> Tokens<'a> {
    pub(super) const fn new(document: &'a str) -> Self {
        Self { document, position: 0 }
    }

    fn skip_ignored(&mut self) {
        loop {
            let rest = &self.document[self.position..];
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', ',', '\u{feff}']);
            let comment =
                if trimmed.starts_with('#') { trimmed.find(['\n', '\r']).unwrap_or(trimmed.len()) } else { 0 };
            let skipped = rest.len() - trimmed.len() + comment;
            self.position += skipped;
            if skipped == 0 {
                return;
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_ignored();
        let start = self.position;
        let rest = &self.document[start..];
        let first = rest.chars().next()?;
        let (kind, length) = if rest.starts_with("\"\"\"") {
            (TokenKind::BlockText, block_text_length(rest))
        } else if first == '"' {
            (TokenKind::Text, text_length(rest))
        } else if is_name_start(first) {
            let end = rest.find(|letter: char| !(is_name_start(letter) || letter.is_ascii_digit()));
            (TokenKind::Name, end.unwrap_or(rest.len()))
        } else if first.is_ascii_digit() || first == '-' {
            let is_inside = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E' | '+' | '-');
            (TokenKind::Number, rest.find(|letter| !is_inside(letter)).unwrap_or(rest.len()))
        } else {
            (TokenKind::Sign, first.len_utf8())
        };
        self.position += length;
        Some(Token { kind, text: &rest[..length], start })
    }
}

const fn is_name_start(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_'
}

fn text_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, letter) in text.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return index + 1,
            '\n' | '\r' => return index,
            _ => {}
        }
    }
    text.len()
}

fn block_text_length(text: &str) -> usize {
    let mut from = 3;
    while let Some(found) = text[from..].find("\"\"\"") {
        let end = from + found + 3;
        if !text[..from + found].ends_with('\\') {
            return end;
        }
        from = end;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(document: &str) -> Vec<&str> {
        Tokens::new(document).map(|token| token.text).collect()
    }

    #[test]
    fn tokens_are_split_and_ignored_characters_left_out() {
        assert_eq!(
            texts("\u{feff}query Q($a: Int = -1.5e3, # c\"{\n$b: [ID!]) @x { f(s: \"a\\\"b\") ...F }"),
            [
                "query",
                "Q",
                "(",
                "$",
                "a",
                ":",
                "Int",
                "=",
                "-1.5e3",
                "$",
                "b",
                ":",
                "[",
                "ID",
                "!",
                "]",
                ")",
                "@",
                "x",
                "{",
                "f",
                "(",
                "s",
                ":",
                "\"a\\\"b\"",
                ")",
                ".",
                ".",
                ".",
                "F",
                "}"
            ]
        );
        assert_eq!(texts(r#"""" a \""" b "" """ c"#), [r#"""" a \""" b "" """"#, "c"]);
        assert_eq!(texts("\"open\nname"), ["\"open", "name"]);
        assert_eq!(texts("\"\"\"open"), ["\"\"\"open"]);
        assert_eq!(texts("\"\" \"\\"), ["\"\"", "\"\\"]);
    }

    proptest! {
        #[test]
        fn tokens_of_any_text_are_its_parts(document in r#"(\PC|[\n\r"\\{}]){0,60}"#) {
            let mut end = 0;
            for token in Tokens::new(&document) {
                prop_assert!(token.start >= end && !token.text.is_empty());
                end = token.start + token.text.len();
                prop_assert_eq!(&document[token.start..end], token.text);
            }
        }
    }
}
