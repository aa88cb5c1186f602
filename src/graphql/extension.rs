//! What happens to every request, whichever transport it came by.

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest, NextRequest, NextSubscribe,
};
use async_graphql::parser::types::DocumentOperations;
use async_graphql::{Request, Response, ServerResult, async_trait::async_trait};
use futures_util::stream::{BoxStream, StreamExt};

use super::Api;
use super::error::BAD_USER_INPUT;
use super::loader::Batches;
use crate::domain::Seq;

/// The log's head when the request began: read before any of its fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadAtStart(pub(super) Seq);

/// Notes the log's head when a request begins, and gives it loaders of its own.
pub(super) struct RequestStart;

impl ExtensionFactory for RequestStart {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for RequestStart {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let request = with_defaults(request);
        let Some(api) = ctx.data_opt::<Api>() else { return next.run(ctx, request).await };
        let batches = Batches::default();
        let loader = batches.loader(api.store.clone());
        let request = request.data(HeadAtStart(api.feed.head())).data(loader).data(batches);
        next.run(ctx, request).await
    }

    /// Called for a query or a mutation, and for each message of a subscription.
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        match ctx.data_opt::<Batches>() {
            Some(batches) => batches.read_during(next.run(ctx, operation_name)).await,
            None => next.run(ctx, operation_name).await,
        }
    }
}

/// The request with the defaults of those variables that it does not give: the library skips and includes fields by the given
/// ones alone.
fn with_defaults(mut request: Request) -> Request {
    let name = request.operation_name.clone();
    // What cannot be parsed gets its error where it is parsed for good.
    let Ok(document) = request.parsed_query() else { return request };
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name.as_str()),
        (DocumentOperations::Multiple(_), None) => None,
    };
    let definitions = operation.map(|operation| operation.node.variable_definitions.as_slice()).unwrap_or_default();
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

/// Gives every error a code. Our own fields set theirs; what the library finds wrong is wrong in the request.
pub(super) struct ErrorCodes;

impl ExtensionFactory for ErrorCodes {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

fn with_codes(mut response: Response) -> Response {
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", BAD_USER_INPUT);
        }
    }
    response
}

#[async_trait]
impl Extension for ErrorCodes {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        with_codes(next.run(ctx).await)
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        next.run(ctx, stream).map(with_codes).boxed()
    }
}
