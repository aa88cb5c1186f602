//! The limits of a document and its variables, the settings of `[graphql]`. They bound the work of
//! every later step, so they are judged first: [`text`] before the parser runs, [`document`] before
//! anything walks the parsed document, [`introspection`] before the library executes it. Each check
//! takes time in proportion to the request, and none recurses: steps after it may, because the
//! nesting is bounded then. The library counts the complexity of the other fields.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};

use crate::config::Graphql;
use crate::graphql::error::LIMIT_EXCEEDED;

mod document;
pub(crate) mod introspected;
pub(crate) mod introspection;
mod text;

pub(super) use document::check_document;
pub(super) use text::check_text;

/// The library's message for a query that is too complex. It names neither the setting nor the
/// number.
pub(super) const TOO_COMPLEX_MESSAGE: &str = "Query is too complex.";

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

/// The message for a query over the limit of complexity.
pub(super) fn too_complex_message(limits: &Graphql) -> String {
    format!(
        "the query's complexity, which counts fields, page sizes and the lists of introspection, exceeds \
         graphql.max_complexity ({}); select fewer fields or request smaller pages",
        limits.max_complexity
    )
}
