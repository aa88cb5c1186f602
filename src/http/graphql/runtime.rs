//! Moves requests to the runtime of GraphQL.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// Handles a request on this runtime. If its client disconnects, the handler ends.
pub(in crate::http) async fn run_on(State(runtime): State<Handle>, request: Request, next: Next) -> Response {
    let handler = async move { next.run(request).await };
    match AbortOnDropHandle::new(runtime.spawn(handler.in_current_span())).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends when the service does, after its connections.
            Err(_) => std::future::pending().await,
        },
    }
}
