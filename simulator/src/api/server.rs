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

/// How long to wait when no connection can be accepted, as when too many files are open.
const BREATH: Duration = Duration::from_millis(50);

/// The connection that a request came on.
#[derive(Clone, Debug, Default)]
pub(super) struct Connection {
    cut: Arc<Notify>,
}

impl Connection {
    /// Closes the connection. There is nothing to answer afterwards.
    pub(super) async fn cut(&self) -> Response {
        self.cut.notify_one();
        pending().await
    }
}

/// Serves until it is dropped, which closes every connection.
pub(super) async fn serve(listener: TcpListener, account: Arc<Account>) {
    let routes = routes(account);
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(converse(stream, routes.clone()))),
            Err(_) => tokio::time::sleep(BREATH).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// One connection to its end: the client's, or a cut.
async fn converse(stream: TcpStream, routes: Router) {
    let connection = Connection::default();
    let service = TowerToHyperService::new(routes.layer(Extension(connection.clone())));
    let conversation = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A conversation that breaks off is the client's affair.
        _ = conversation => {}
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
        .layer(from_fn_with_state(Arc::clone(&account), token::admit))
        .layer(from_fn_with_state(account, fault::witness))
}

/// For a path that is none, and for a method that its path does not take: the vendor knows no 405.
async fn not_found() -> Refusal {
    Refusal::NotFound
}
