//! The connections, and the routes behind them.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{delete, get, post};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::account::Account;
use super::refusal::Refusal;
use super::{BASE, fault, pages, token, webhooks};

/// How long to wait after a failed accept, as when too many files are open.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// The connection of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Connection {
    cut: Arc<Notify>,
}

impl Connection {
    /// Closes the connection. The request gets no answer.
    pub(super) async fn cut(&self) -> Response {
        self.cut.notify_one();
        pending().await
    }
}

/// Serves until dropped, which closes every connection.
pub(super) async fn serve(listener: TcpListener, account: Arc<Account>) {
    let routes = routes(account);
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(serve_connection(stream, routes.clone()))),
            Err(_) => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection until the client ends it or a fault cuts it.
async fn serve_connection(stream: TcpStream, routes: Router) {
    let connection = Connection::default();
    let service = TowerToHyperService::new(routes.layer(Extension(connection.clone())));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error is the client's affair.
        _ = serving => {}
        () = connection.cut.notified() => {}
    }
}

fn routes(account: Arc<Account>) -> Router {
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
