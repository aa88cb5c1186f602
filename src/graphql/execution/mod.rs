//! Executes the requests of every transport. The executor checks the key's scope and the size of
//! the document, coerces the values in it and in its variables, merges the fields of the root,
//! attaches the data of the request, and sets the code of each error.
//!
//! This is not an extension of the library. Every single field passes through an extension, and
//! that was measured to cost a third of the throughput of a query with many rows.

use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Data, Name, ServerError};
use futures_util::stream::{self, BoxStream, StreamExt};
use tracing::{Instrument, Span};

use super::error::{BAD_USER_INPUT, LIMIT_EXCEEDED, PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_NOT_SUPPORTED, shorten};
use super::live::Broadcasts;
use super::{Api, ApiSchema};
use crate::auth::Access;
use crate::config::Graphql;
use crate::domain::Seq;
use batching::PendingBatches;
use compat::RootResult;
use operation::Operation;
use response::Response;
use span::operation_span;
use types::SchemaTypes;

mod authorize;
pub(crate) mod batching;
pub(crate) mod compat;
mod document;
mod field_merging;
mod lexer;
mod limits;
pub(crate) mod look_ahead;
pub(crate) mod operation;
pub mod response;
pub(crate) mod selection;
mod span;
pub(crate) mod types;
mod validation;
mod values;
mod variables;

/// How many errors the response to a refused request has.
const REFUSAL_ERRORS_MAX: usize = 10;

/// How many characters the message of an error of the library may have. It repeats names of the
/// document, which a client chooses.
const LIBRARY_MESSAGE_CHARS_MAX: usize = 400;

/// The messages by which clients know that a hash in place of a document is of no use.
const HASH_NOT_SUPPORTED: &str = "PersistedQueryNotSupported";
const HASH_NOT_FOUND: &str = "PersistedQueryNotFound";

/// The log's head when the request began. It is read before any of the request's fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadAtStart(pub(super) Seq);

/// Answers GraphQL requests.
#[derive(Clone)]
pub struct Executor {
    pub(super) schema: ApiSchema,
    pub(super) types: Arc<SchemaTypes>,
    pub(super) api: Api,
    pub(super) limits: Graphql,
    /// The executions that equal subscriptions share.
    pub(super) broadcasts: Broadcasts,
}

/// An operation that passed every check.
struct Prepared {
    request: async_graphql::Request,
    root_names: IndexMap<Name, Name>,
    root_result: RootResult,
    batches: PendingBatches,
    span: Span,
}

impl Executor {
    /// Executes a query or a mutation.
    pub async fn execute(&self, operation: Operation, access: Access) -> Response {
        match self.prepare(operation, access, Data::default()) {
            Ok(Prepared { request, root_names, root_result, batches, span }) => {
                let response = batches.drive(self.schema.execute(request)).instrument(span).await;
                self.complete(response, &root_result, &root_names)
            }
            Err(errors) => self.refuse(errors),
        }
    }

    /// Executes an operation of any kind, with data for its fields: one response for a query or a
    /// mutation, a stream of them for a subscription.
    pub fn execute_stream(&self, operation: Operation, access: Access, data: Data) -> BoxStream<'static, Response> {
        let prepared = match self.prepare(operation, access, data) {
            Ok(prepared) => prepared,
            Err(errors) => return stream::iter([self.refuse(errors)]).boxed(),
        };
        let Prepared { request, root_names, root_result, batches, span } = prepared;
        let responses = self.schema.execute_stream(request);
        let state = (responses, batches, root_names, root_result, span, self.clone());
        stream::unfold(state, async |(mut responses, batches, root_names, root_result, span, executor)| {
            let response = batches.drive(responses.next()).instrument(span.clone()).await?;
            let response = executor.complete(response, &root_result, &root_names);
            Some((response, (responses, batches, root_names, root_result, span, executor)))
        })
        .boxed()
    }

    /// Checks an operation and attaches its data, or returns the errors that refuse it.
    fn prepare(&self, mut operation: Operation, access: Access, mut data: Data) -> Result<Prepared, Vec<ServerError>> {
        let span = operation_span(&operation, access);
        if operation.is_hash_only() {
            // Apollo and urql send no more hashes after the first error. graphql-tools knows the
            // second alone. All of them send the document.
            return Err(vec![
                limits::error_with_code(HASH_NOT_SUPPORTED.to_owned(), PERSISTED_QUERY_NOT_SUPPORTED),
                limits::error_with_code(HASH_NOT_FOUND.to_owned(), PERSISTED_QUERY_NOT_FOUND),
            ]);
        }
        authorize::check_scope(&operation, access)?;
        limits::check_field_count(operation.document()?, self.limits.max_fields)?;
        operation.coerce_values(&self.types)?;
        operation.merge_subscription_root()?;
        let (batches, root_result) = (PendingBatches::default(), RootResult::default());
        data.insert(HeadAtStart(self.api.feed.head()));
        data.insert(batches.new_loader(self.api.store.clone()));
        data.insert(root_result.clone());
        let root_names = operation.root_names();
        let mut request = operation.into_request();
        request.data = data;
        Ok(Prepared { request, root_names, root_result, batches, span })
    }

    /// The response to an operation that does not run.
    fn refuse(&self, mut errors: Vec<ServerError>) -> Response {
        errors.truncate(REFUSAL_ERRORS_MAX);
        self.set_error_codes(&mut errors);
        Response::Refused(errors)
    }

    /// The response to an operation that the library executed or refused.
    fn complete(
        &self,
        mut response: async_graphql::Response,
        root_result: &RootResult,
        root_names: &IndexMap<Name, Name>,
    ) -> Response {
        let is_executed = root_result.complete(&mut response, root_names);
        let mut errors = response.errors;
        if !is_executed {
            return self.refuse(errors);
        }
        self.set_error_codes(&mut errors);
        Response::Executed { data: response.data, errors }
    }

    fn set_error_codes(&self, errors: &mut [ServerError]) {
        for error in errors {
            let extensions = error.extensions.get_or_insert_default();
            if extensions.get("code").is_some() {
                continue;
            }
            // Our own fields set a code. Errors of the library are faults of the request. For its
            // limits the library gives neither the setting nor the number.
            let limit_message = match error.message.as_str() {
                limits::TOO_COMPLEX_MESSAGE => Some(format!(
                    "the query's complexity, which counts fields and page sizes, exceeds graphql.max_complexity ({}); \
                     select fewer fields or request smaller pages",
                    self.limits.max_complexity
                )),
                limits::TOO_DEEP_MESSAGE => Some(format!(
                    "the query is nested deeper than graphql.max_depth ({}); select fewer levels",
                    self.limits.max_depth
                )),
                _ => None,
            };
            extensions.set("code", if limit_message.is_some() { LIMIT_EXCEEDED } else { BAD_USER_INPUT });
            error.message =
                limit_message.unwrap_or_else(|| shorten(&error.message, LIBRARY_MESSAGE_CHARS_MAX).into_owned());
        }
    }
}
