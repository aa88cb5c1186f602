//! The routes of the API.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};

use super::account::Account;
use super::refusal::Refusal;
use super::{BASE, fault, pages, token, webhooks};

pub(super) fn routes(account: Arc<Account>) -> Router {
    let calls = Router::new()
        .route("/webhooks.json", post(webhooks::create))
        .route("/webhooks/{file}", delete(webhooks::delete))
        .route("/clients.json", get(pages::clients))
        .route("/clients/{file}", get(pages::client))
        .route("/clients/{id}/proposals.json", get(pages::client_proposals))
        .route("/proposals.json", get(pages::proposals))
        .route("/proposals/stats.json", get(pages::stats))
        .route("/proposals/{file}", get(pages::proposal))
        .with_state(Arc::clone(&account));
    Router::new()
        .nest(BASE, calls)
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(from_fn_with_state(Arc::clone(&account), token::authenticate))
        .layer(from_fn_with_state(account, fault::record_and_inject))
}

/// For an unknown path, and for a method that the path does not support: the vendor has no 405.
async fn not_found() -> Refusal {
    Refusal::NotFound
}
