//! The limits of a document's text, judged before it is parsed.

use async_graphql::ServerResult;

use super::{exceeded, exceeded_at};
use crate::config::Graphql;
use crate::graphql::execution::document::position;
use crate::graphql::execution::lexer::{TokenKind, Tokens};

/// Checks the length of a document, the number of its tokens, the length of its names, and how deep
/// its brackets are nested.
///
/// # Errors
///
/// The document exceeds a limit.
pub(in crate::graphql::execution) fn check_text(document: &str, limits: &Graphql) -> ServerResult<()> {
    if document.len() > limits.max_document_bytes {
        let problem = format!("the document has {} bytes, more", document.len());
        return Err(exceeded(&problem, "max_document_bytes", limits.max_document_bytes, "send a shorter one"));
    }
    let (mut tokens, mut nesting) = (0_usize, 0_usize);
    for token in Tokens::new(document) {
        let pos = || position(document, token.start);
        // The three points of a spread are no tokens of their own.
        tokens += usize::from(!token.is("."));
        if tokens > limits.max_tokens {
            let problem = "the document has more tokens";
            return Err(exceeded_at(pos(), problem, "max_tokens", limits.max_tokens, "send a shorter one"));
        }
        match (token.kind, token.text) {
            (TokenKind::Name, name) if name.len() > limits.max_name_letters => {
                let problem = format!("a name has {} letters, more", name.len());
                return Err(exceeded_at(
                    pos(),
                    &problem,
                    "max_name_letters",
                    limits.max_name_letters,
                    "give a shorter one",
                ));
            }
            (TokenKind::Sign, "{" | "[" | "(") => nesting += 1,
            (TokenKind::Sign, "}" | "]" | ")") => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting > limits.max_nesting {
            let problem = "the brackets of the document are nested deeper";
            return Err(exceeded_at(pos(), problem, "max_nesting", limits.max_nesting, "nest fewer levels"));
        }
    }
    Ok(())
}
