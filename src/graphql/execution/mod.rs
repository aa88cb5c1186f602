//! Executes the requests of every transport. The executor checks the key's scope and the size of
//! the document, coerces the values in it and in its variables, merges the fields of the root,
//! attaches the data of the request, and sets the code of each error.
//!
//! This is not an extension of the library. Every single field passes through an extension, and
//! that was measured to cost a third of the throughput of a query with many rows.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Data, Name, ServerError, Value};
use futures_util::stream::{self, BoxStream, StreamExt};
use tracing::{Instrument, Span};

use super::error::{BAD_USER_INPUT, LIMIT_EXCEEDED, PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_NOT_SUPPORTED, shorten};
use super::live::Broadcasts;
use super::{Api, ApiSchema};
use crate::auth::{Access, Keys};
use crate::config::Graphql;
use crate::domain::Seq;
use crate::store::budget::Exceeded;
use batching::PendingBatches;
use budget::{RequestBudget, over_budget};
use compat::RootResult;
use operation::Operation;
use response::Response;
use span::operation_span;
use types::SchemaTypes;

mod authorize;
pub(crate) mod batching;
pub(crate) mod budget;
pub(crate) mod compat;
mod document;
mod field_merging;
mod lexer;
pub(crate) mod limits;
pub(crate) mod look_ahead;
pub(crate) mod operation;
pub mod response;
pub(crate) mod selection;
mod span;
pub(crate) mod types;
mod url_input;
mod validation;
mod values;
mod variables;

/// How many errors the response to a refused request has.
const REFUSAL_ERRORS_MAX: usize = 10;

/// How many errors the response to an executed request has. A page of rows may have one for each.
const EXECUTION_ERRORS_MAX: usize = 100;

/// How many characters the message of an error may have. Our own repeat excerpts of the request.
const MESSAGE_CHARS_MAX: usize = 1000;

/// How many characters the message of an error of a document may have. It repeats names of the
/// document, which a client chooses.
const REFUSAL_MESSAGE_CHARS_MAX: usize = 400;

/// How many characters of a name an error of the library repeats.
const LIBRARY_NAME_CHARS_MAX: usize = 33;

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
    pub(super) keys: Keys,
    pub(super) limits: Graphql,
    /// The executions that equal subscriptions share.
    pub(super) broadcasts: Broadcasts,
}

/// Checks an operation against the limits and the types of the schema, and coerces its values.
pub(super) fn check_operation(
    operation: &mut Operation,
    types: &SchemaTypes,
    limits: &Graphql,
) -> Result<(), Vec<ServerError>> {
    operation.coerce_values(types, limits)?;
    Ok(operation.merge_subscription_root()?)
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
    /// Reads a request, as far as the limits allow.
    #[must_use]
    pub fn read(&self, request: async_graphql::Request) -> Operation {
        Operation::read(request, &self.limits)
    }

    /// Reads an input object from the parameters of a URL, as the value of a variable. Its values
    /// are judged when the operation runs.
    ///
    /// # Errors
    ///
    /// The message names a parameter that the input does not have, or that is given twice.
    pub fn read_input(
        &self,
        type_name: &str,
        parameters: impl IntoIterator<Item = (String, String)>,
    ) -> Result<serde_json::Value, String> {
        url_input::read(&self.types, type_name, parameters)
    }

    /// The budget of one request, or of a batch.
    #[must_use]
    pub fn new_budget(&self) -> RequestBudget {
        RequestBudget::new(&self.limits)
    }

    /// Executes a query or a mutation within a budget.
    pub async fn execute(&self, operation: Operation, access: Access, budget: &RequestBudget) -> Response {
        self.execute_with(operation, access, Data::default(), budget).await
    }

    async fn execute_with(&self, operation: Operation, access: Access, data: Data, budget: &RequestBudget) -> Response {
        let is_timed = !operation.is_mutation();
        match self.prepare(operation, access, data, budget) {
            Ok(Prepared { request, root_names, root_result, batches, span }) => {
                let execution = batches.drive(self.schema.execute(request)).instrument(span);
                match budget.drive(execution, is_timed).await {
                    Ok(response) => self.complete(response, &root_result, &root_names, budget),
                    Err(exceeded) => self.cut_off(exceeded),
                }
            }
            Err(errors) => self.refuse(errors),
        }
    }

    /// Executes an operation of any kind, with data for its fields: one response for a query or a
    /// mutation, a stream of them for a subscription. Each response has a budget.
    pub fn execute_stream(&self, operation: Operation, access: Access, data: Data) -> BoxStream<'static, Response> {
        let budget = self.new_budget();
        let executor = self.clone();
        if !operation.is_subscription() {
            let response = async move { executor.execute_with(operation, access, data, &budget).await };
            return stream::once(response).boxed();
        }
        let prepared = match self.prepare(operation, access, data, &budget) {
            Ok(prepared) => prepared,
            Err(errors) => return stream::iter([self.refuse(errors)]).boxed(),
        };
        let Prepared { request, root_names, root_result, batches, span } = prepared;
        let responses = self.schema.execute_stream(request);
        let state = (responses, batches, root_names, root_result, span, executor, budget);
        stream::unfold(state, async |(mut responses, batches, root_names, root_result, span, executor, budget)| {
            let response = batches.drive(responses.next()).instrument(span.clone()).await?;
            let response = executor.complete(response, &root_result, &root_names, &budget);
            Some((response, (responses, batches, root_names, root_result, span, executor, budget)))
        })
        .boxed()
    }

    /// Checks an operation and attaches its data, or returns the errors that refuse it.
    fn prepare(
        &self,
        mut operation: Operation,
        access: Access,
        mut data: Data,
        budget: &RequestBudget,
    ) -> Result<Prepared, Vec<ServerError>> {
        let span = operation_span(&operation, access);
        if operation.is_hash_only() {
            // Apollo and urql send no more hashes after the first error. graphql-tools knows the
            // second alone. All of them send the document.
            return Err(vec![
                limits::error_with_code(HASH_NOT_SUPPORTED.to_owned(), PERSISTED_QUERY_NOT_SUPPORTED),
                limits::error_with_code(HASH_NOT_FOUND.to_owned(), PERSISTED_QUERY_NOT_FOUND),
            ]);
        }
        authorize::check_scope(&operation, access).inspect_err(|_| self.keys.audit().count_refusal("API", "scope"))?;
        check_operation(&mut operation, &self.types, &self.limits)?;
        let (batches, root_result) = (PendingBatches::default(), RootResult::default());
        data.insert(HeadAtStart(self.api.feed.head()));
        data.insert(access);
        let reader = self.api.store.reader().within(Arc::clone(&budget.0));
        data.insert(batches.new_loader(reader.clone()));
        data.insert(reader);
        data.insert(budget.clone());
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
        budget: &RequestBudget,
    ) -> Response {
        let is_executed = root_result.complete(&mut response, root_names);
        let mut errors = response.errors;
        if !is_executed {
            errors.truncate(REFUSAL_ERRORS_MAX);
            for error in &mut errors {
                error.message = shorten_names(&error.message);
            }
            return self.refuse(errors);
        }
        if let Some(exceeded) = budget.exceeded() {
            return self.cut_off(exceeded);
        }
        if errors.len() > EXECUTION_ERRORS_MAX {
            let more = errors.split_off(EXECUTION_ERRORS_MAX - 1).len();
            let message = format!("{more} more errors are left out; request fewer objects to see them");
            errors.push(limits::error_with_code(message, LIMIT_EXCEEDED));
        }
        self.set_error_codes(&mut errors);
        Response::Executed { data: response.data, errors }
    }

    /// The response to an operation that has used up its budget: none of its data, and one error.
    fn cut_off(&self, exceeded: Exceeded) -> Response {
        Response::Executed { data: Value::Null, errors: vec![over_budget(exceeded, &self.limits)] }
    }

    fn set_error_codes(&self, errors: &mut [ServerError]) {
        for error in errors {
            let extensions = error.extensions.get_or_insert_default();
            if extensions.get("code").is_some() {
                if let Cow::Owned(message) = shorten(&error.message, MESSAGE_CHARS_MAX) {
                    error.message = message;
                }
                continue;
            }
            // Our own fields set a code. Errors of the library are faults of the request.
            extensions.set("code", BAD_USER_INPUT);
            if let Cow::Owned(message) = shorten(&error.message, REFUSAL_MESSAGE_CHARS_MAX) {
                error.message = message;
            }
        }
    }
}

/// A message of the library with its long names cut. It repeats up to three names of the document,
/// and no name of the schema is longer than this.
fn shorten_names(message: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = message.split_inclusive(|letter| !is_part(letter));
    words
        .map(|word| {
            let end = word.find(|letter| !is_part(letter)).unwrap_or(word.len());
            [&*shorten(&word[..end], LIBRARY_NAME_CHARS_MAX), &word[end..]].concat()
        })
        .collect()
}
