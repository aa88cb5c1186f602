//! The limits of a document and its variables, the settings of `[graphql]`. They bound the work of
//! every later step, so they are judged first: [`text`] before the parser runs, [`document`] before
//! anything walks the parsed document, [`complexity`] before the library executes it. Each check
//! takes time in proportion to the request, and none recurses: steps after it may, because the
//! nesting is bounded then.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};

use crate::graphql::error::LIMIT_EXCEEDED;

mod complexity;
mod document;
pub(crate) mod introspected;
pub(crate) mod introspection;
mod nested;
mod text;

pub(super) use complexity::check_complexity;
pub(super) use document::check_document;
pub(super) use text::check_text;

/// The error that refuses a request, with its code.
pub(super) fn error_with_code(message: String, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
    error
}

/// The error of a request over a limit: "(problem) than graphql.(setting) (max); (advice)".
pub(super) fn exceeded(problem: &str, setting: &str, max: usize, advice: &str) -> ServerError {
    error_with_code(format!("{problem} than graphql.{setting} ({max}); {advice}"), LIMIT_EXCEEDED)
}

fn exceeded_at(pos: Pos, problem: &str, setting: &str, max: usize, advice: &str) -> ServerError {
    ServerError { locations: vec![pos], ..exceeded(problem, setting, max, advice) }
}
