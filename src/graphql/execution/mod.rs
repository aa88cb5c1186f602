//! Executes the requests of every transport. The executor checks the key's scope and the size of
//! the document, merges the fields of the root, attaches the data of the request, and sets the code
//! of each error.
//!
//! This is not an extension of the library. Every single field passes through an extension, and
//! that was measured to cost a third of the throughput of a query with many rows.

use std::sync::Arc;

use async_graphql::registry::Registry;
use async_graphql::{Data, Request, Response, ServerError};
use futures_util::stream::{self, BoxStream, StreamExt};
use tracing::{Instrument, Span};

use super::error::{BAD_USER_INPUT, LIMIT_EXCEEDED};
use super::live::Broadcasts;
use super::{Api, ApiSchema};
use crate::config::Graphql;
use crate::domain::Seq;
use batching::PendingBatches;
use selection::{merge_roots, root};
use span::operation_span;

pub(crate) mod authorize;
pub(crate) mod batching;
mod limits;
pub(crate) mod look_ahead;
pub mod response;
pub(crate) mod selection;
mod span;

/// The log's head when the request began. It is read before any of the request's fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadAtStart(pub(super) Seq);

/// Answers GraphQL requests.
#[derive(Clone)]
pub struct Executor {
    pub(super) schema: ApiSchema,
    pub(super) api: Api,
    pub(super) limits: Graphql,
    /// The types of the schema. The library's own registry is private.
    pub(super) registry: Arc<Registry>,
    /// The executions that equal subscriptions share.
    pub(super) broadcasts: Broadcasts,
}

impl Executor {
    /// The request with its data attached, its batches and its span; or the error that refuses it.
    fn prepare(
        &self,
        mut request: Request,
        session: Option<&Data>,
    ) -> Result<(Request, PendingBatches, Span), ServerError> {
        let access = authorize::access(&request.data, session)?;
        let span = operation_span(&mut request, access);
        let name = request.operation_name.clone();
        // A document that cannot be parsed gets its error from the library, in the same form as the
        // library's other errors.
        if let Ok(document) = request.parsed_query() {
            authorize::check_scope(document, name.as_deref(), access)?;
            limits::check_field_count(document, self.limits.max_fields)?;
        }
        let mut request = apply_variable_defaults(request);
        let variables = request.variables.clone();
        if let Ok(document) = request.parsed_query()
            && let Some(merged) = merge_roots(document, name.as_deref(), &variables)?
        {
            request.set_parsed_query(merged);
        }
        let batches = PendingBatches::default();
        let loader = batches.new_loader(self.api.store.clone());
        Ok((request.data(HeadAtStart(self.api.feed.head())).data(loader), batches, span))
    }

    fn set_error_codes(&self, mut response: Response) -> Response {
        for error in &mut response.errors {
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
            if let Some(message) = limit_message {
                error.message = message;
            }
        }
        response
    }
}

impl async_graphql::Executor for Executor {
    async fn execute(&self, request: Request) -> Response {
        let root_errors = root::RootFieldErrors::new(&request);
        match self.prepare(request, None) {
            Ok((request, batches, span)) => {
                let mut response = batches.drive(self.schema.execute(request)).instrument(span).await;
                root_errors.restore(&mut response, &self.registry);
                self.set_error_codes(response)
            }
            Err(refused) => self.set_error_codes(Response::from_errors(vec![refused])),
        }
    }

    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let root_errors = root::RootFieldErrors::new(&request);
        let (request, batches, span) = match self.prepare(request, session_data.as_deref()) {
            Ok(prepared) => prepared,
            Err(refused) => return stream::iter([self.set_error_codes(Response::from_errors(vec![refused]))]).boxed(),
        };
        let responses = self.schema.execute_stream_with_session_data(request, session_data.unwrap_or_default());
        let executor = self.clone();
        let state = (responses, batches, root_errors, executor, span);
        stream::unfold(state, async |(mut responses, batches, root_errors, executor, span)| {
            let mut response = batches.drive(responses.next()).instrument(span.clone()).await?;
            root_errors.restore(&mut response, &executor.registry);
            Some((executor.set_error_codes(response), (responses, batches, root_errors, executor, span)))
        })
        .boxed()
    }
}

/// Adds the defaults of the variables that the request does not give. The library evaluates `@skip`
/// and `@include` by the given variables alone.
fn apply_variable_defaults(mut request: Request) -> Request {
    let name = request.operation_name.clone();
    // A document that cannot be parsed gets its error from the library when it is executed.
    let Ok(document) = request.parsed_query() else { return request };
    let operation = authorize::find_operation(document, name.as_deref());
    let definitions = operation.map(|operation| operation.variable_definitions.as_slice()).unwrap_or_default();
    let defaults: Vec<_> = definitions
        .iter()
        .filter_map(|definition| {
            let default = definition.node.default_value.as_ref()?;
            Some((definition.node.name.node.clone(), default.node.clone()))
        })
        .collect();
    for (name, default) in defaults {
        request.variables.entry(name).or_insert(default);
    }
    request
}
