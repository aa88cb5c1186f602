//! A connection through which a service is reached, and that can be cut.

use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Client;

/// Passes every byte on, until it is cut.
pub(crate) struct Cable {
    authority: String,
    connections: Arc<Mutex<JoinSet<()>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Cable {
    /// A cable to a service.
    pub(crate) async fn to(client: &Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let (service, open) = (client.authority().to_owned(), Arc::clone(&connections));
        let listening = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let service = service.clone();
                open.lock().unwrap().spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(service).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self { authority, connections, listening }
    }

    /// `127.0.0.1:…`, the service by this cable.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Cuts what is connected. New connections are made again.
    pub(crate) fn cut(&self) {
        let mut connections = self.connections.lock().unwrap();
        assert!(!connections.is_empty(), "nothing was connected");
        *connections = JoinSet::new();
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
