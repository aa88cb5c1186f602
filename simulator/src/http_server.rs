//! Connections whose requests can be left without an answer.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How long to wait after a failed accept, as when too many files are open.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// The connection of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    cut: Arc<Notify>,
}

impl Connection {
    /// Closes the connection. The request gets no answer.
    pub(crate) async fn cut(&self) -> Response {
        self.cut.notify_one();
        pending().await
    }
}

/// Serves until dropped, which closes every connection.
pub(crate) async fn serve(listener: TcpListener, routes: Router) {
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
