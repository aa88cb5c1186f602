//! A TCP proxy in front of a service. A test can cut the connections through it.

use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Client;

/// Forwards every byte until a test cuts its connections.
pub(crate) struct TcpProxy {
    authority: String,
    connections: Arc<Mutex<JoinSet<()>>>,
    accept_loop: tokio::task::JoinHandle<()>,
}

impl TcpProxy {
    /// Starts a proxy in front of the client's service.
    pub(crate) async fn start(client: &Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let (service, open) = (client.authority().to_owned(), Arc::clone(&connections));
        let accept_loop = tokio::spawn(async move {
            while let Ok((mut downstream, _)) = listener.accept().await {
                let service = service.clone();
                open.lock().unwrap().spawn(async move {
                    if let Ok(mut upstream) = TcpStream::connect(service).await {
                        let _ = copy_bidirectional(&mut downstream, &mut upstream).await;
                    }
                });
            }
        });
        Self { authority, connections, accept_loop }
    }

    /// `127.0.0.1:…`, the address of the proxy.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Cuts all open connections. The proxy accepts new ones.
    pub(crate) fn cut(&self) {
        let mut connections = self.connections.lock().unwrap();
        assert!(!connections.is_empty(), "the proxy had no connection to cut");
        *connections = JoinSet::new();
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.accept_loop.abort();
    }
}
