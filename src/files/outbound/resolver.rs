//! Resolves the hosts of links. The client connects to the addresses that it gives, and looks up
//! nothing itself: the address that was judged is the one that is connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::LOCALHOST;
use super::address::is_public;

/// Finds the addresses of a name.
pub(super) type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Looks names up as this machine does, in its hosts file and by DNS.
pub(super) fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    })
}

/// A host may not be connected to.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// One of its addresses is not public. The others do not count: a client that tries them in
    /// turn would reach it.
    #[error("{host} has the address {address}, which is not one of a public server")]
    NotPublic { host: String, address: IpAddr },
    #[error("{host} cannot be resolved: {error}")]
    Lookup { host: String, error: io::Error },
    #[error("{host} has no address")]
    Empty { host: String },
}

/// Resolves each host once for each connection.
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) lookup: Lookup,
    pub(super) allow_loopback: bool,
    /// The host of `files.proxy`. An operator chose it, so that its address may be private.
    pub(super) proxy_host: Option<String>,
}

impl Resolver {
    async fn addresses(self, host: String) -> Result<Vec<IpAddr>, ResolveError> {
        let addresses = match (self.lookup)(host.clone()).await {
            Ok(addresses) => addresses,
            Err(error) => return Err(ResolveError::Lookup { host, error }),
        };
        if addresses.is_empty() {
            return Err(ResolveError::Empty { host });
        }
        if self.proxy_host.as_ref() == Some(&host) {
            return Ok(addresses);
        }
        let may_be_loopback = self.allow_loopback && host == LOCALHOST;
        let is_allowed = |address: IpAddr| if may_be_loopback { address.is_loopback() } else { is_public(address) };
        match addresses.iter().find(|&&address| !is_allowed(address)) {
            Some(&address) => Err(ResolveError::NotPublic { host, address }),
            None => Ok(addresses),
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.clone().addresses(name.as_str().to_owned());
        Box::pin(async move {
            // The client puts the port of the link in the place of 0.
            let addresses = addresses.await?.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
