//! What happens to every request, whichever transport it came by: it is judged by its key's scope and by its size, its root is merged,
//! it is given what belongs to it alone, and its errors are given their codes.
//!
//! Not an extension of the library: with one, every single field goes through it, which was measured to cost a third of the
//! rate of a query of many rows.

use std::sync::Arc;

use async_graphql::registry::Registry;
use async_graphql::{Data, Request, Response, ServerError};
use futures_util::stream::{self, BoxStream, StreamExt};

use super::error::{BAD_USER_INPUT, LIMIT_EXCEEDED};
use super::live::Broadcasts;
use super::{Api, ApiSchema};
use crate::config::Graphql;
use crate::domain::Seq;
use batching::PendingBatches;
use selection::{merge_roots, root};

pub(crate) mod authorize;
pub(crate) mod batching;
mod limits;
pub(crate) mod look_ahead;
pub mod response;
pub(crate) mod selection;

/// The log's head when the request began: read before any of its fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadAtStart(pub(super) Seq);

/// Answers GraphQL requests.
#[derive(Clone)]
pub struct Executor {
    pub(super) schema: ApiSchema,
    pub(super) api: Api,
    pub(super) limits: Graphql,
    /// The types of the schema: the library keeps its own to itself.
    pub(super) registry: Arc<Registry>,
    /// The subscriptions that are executed together.
    pub(super) broadcasts: Broadcasts,
}

impl Executor {
    /// The request with what belongs to it alone, and what reads its batches; or why it is not served.
    fn prepare(&self, mut request: Request, session: Option<&Data>) -> Result<(Request, PendingBatches), ServerError> {
        let access = authorize::access(&request.data, session)?;
        let name = request.operation_name.clone();
        // What cannot be parsed gets its error from the library, at the same place as every other of its errors.
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
        Ok((request.data(HeadAtStart(self.api.feed.head())).data(loader), batches))
    }

    fn set_error_codes(&self, mut response: Response) -> Response {
        for error in &mut response.errors {
            let extensions = error.extensions.get_or_insert_default();
            if extensions.get("code").is_some() {
                continue;
            }
            // Our own fields set a code; what the library finds wrong is wrong in the request. Of its own limits it says no more
            // than that they are passed.
            let limit = match error.message.as_str() {
                limits::TOO_COMPLEX_MESSAGE => Some((
                    "asks for more, by fields and page sizes, than graphql.max_complexity",
                    self.limits.max_complexity,
                )),
                limits::TOO_DEEP_MESSAGE => Some(("is nested deeper than graphql.max_depth", self.limits.max_depth)),
                _ => None,
            };
            extensions.set("code", if limit.is_some() { LIMIT_EXCEEDED } else { BAD_USER_INPUT });
            if let Some((what, most)) = limit {
                error.message = format!("the query {what}, which is {most}");
            }
        }
        response
    }
}

impl async_graphql::Executor for Executor {
    async fn execute(&self, request: Request) -> Response {
        let asked = root::RootFieldErrors::new(&request);
        match self.prepare(request, None) {
            Ok((request, batches)) => {
                let mut response = batches.drive(self.schema.execute(request)).await;
                asked.restore(&mut response, &self.registry);
                self.set_error_codes(response)
            }
            Err(refused) => self.set_error_codes(Response::from_errors(vec![refused])),
        }
    }

    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let asked = root::RootFieldErrors::new(&request);
        let (request, batches) = match self.prepare(request, session_data.as_deref()) {
            Ok(prepared) => prepared,
            Err(refused) => return stream::iter([self.set_error_codes(Response::from_errors(vec![refused]))]).boxed(),
        };
        let responses = self.schema.execute_stream_with_session_data(request, session_data.unwrap_or_default());
        let executor = self.clone();
        stream::unfold((responses, batches, asked, executor), async |(mut responses, batches, asked, executor)| {
            let mut response = batches.drive(responses.next()).await?;
            asked.restore(&mut response, &executor.registry);
            Some((executor.set_error_codes(response), (responses, batches, asked, executor)))
        })
        .boxed()
    }
}

/// The request with the defaults of those variables that it does not give: the library skips and includes fields by the given
/// ones alone.
fn apply_variable_defaults(mut request: Request) -> Request {
    let name = request.operation_name.clone();
    // What cannot be parsed gets its error where it is parsed for good.
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
