//! Bidsketch's REST API for one made-up account, over real HTTP on this machine.
//!
//! It does what the vendor's documentation says, and on request what no documentation says: it hangs, breaks off, and
//! answers with something else. The way of a request, one file a step:
//!
//! 1. `server`: the connections, each of which can be closed without an answer.
//! 2. `requests`: what came, kept for tests; `fault`: what goes wrong with it.
//! 3. `token` and `rate`: whether it is let in.
//! 4. `webhooks` and `pages`: the calls themselves; `world` holds the clients and proposals that the pages show.
//! 5. `refusal`: every answer that is no success.
//!
//! The webhooks are in a [`Registry`], from which the [`crate::sender`] delivers by the vendor's rules.

mod account;
mod fault;
mod pages;
mod rate;
mod refusal;
mod requests;
mod server;
mod token;
mod webhooks;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use self::account::Account;
pub use self::fault::Fault;
pub use self::requests::Request;
use crate::hook::{Hook, Vendor};
pub use crate::registry::Registered;
use crate::registry::Registry;
use crate::sender::{Patience, Reply, Verdict, Wire, judge};
use crate::target::is_loopback;

/// Where every route begins.
const BASE: &str = "/api/v1";

/// The account, and where its API is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// The one token that is let in.
    pub token: String,
    /// Where to listen; port 0 is any that is free.
    pub listen: SocketAddr,
    /// The clients and proposals that the account has from the start, by number.
    pub seed: u64,
    /// How many webhooks the account may have at a time.
    pub most_webhooks: usize,
    /// How many requests are answered within how long; `None` is no limit.
    pub rate: Option<(u32, Duration)>,
}

/// A free port of this machine, the token `simulated`, 100 webhooks, and the documented 100 requests in 20 seconds.
impl Default for Options {
    fn default() -> Options {
        Options {
            token: "simulated".to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            most_webhooks: 100,
            rate: Some((100, Duration::from_secs(20))),
        }
    }
}

/// What came of one attempt of [`BidsketchApi::deliver`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The webhook's id.
    pub webhook: u64,
    /// The status that its endpoint answered; `None` when no answer came.
    pub status: Option<u16>,
}

/// A running API. It stops when this is dropped, and its connections are closed.
#[derive(Debug)]
pub struct BidsketchApi {
    address: SocketAddr,
    account: Arc<Account>,
    wire: Wire,
    serving: AbortHandle,
}

impl BidsketchApi {
    /// Serves from here on.
    ///
    /// # Errors
    ///
    /// When it cannot listen there.
    pub async fn start(options: Options) -> io::Result<BidsketchApi> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let wire = Wire::new(Patience::default().time_out).map_err(io::Error::other)?;
        let account = Arc::new(Account::new(options, base(address)));
        let serving = tokio::spawn(server::serve(listener, Arc::clone(&account))).abort_handle();
        Ok(BidsketchApi { address, account, wire, serving })
    }

    /// What the service is to take for the vendor's API: `http://127.0.0.1:PORT/api/v1`.
    pub fn url(&self) -> String {
        base(self.address)
    }

    /// The webhooks that are registered, oldest first.
    pub fn webhooks(&self) -> Vec<Registered> {
        self.account.registry.all()
    }

    /// The same webhooks as a whole: for a sender, and for whoever watches.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.account.registry)
    }

    /// Every request so far, in the order in which they had come in whole. Past 10,000 the oldest are forgotten.
    pub fn requests(&self) -> Vec<Request> {
        self.account.requests.all()
    }

    /// Has a fault happen: to the next request, or behind those that are queued already, one a request.
    pub fn next(&self, fault: Fault) {
        self.account.queue(fault);
    }

    /// From here on the pages show what this hook tells of a client or a proposal.
    pub fn learn(&self, hook: &Hook) {
        self.account.world().learn(hook);
    }

    /// Posts `{"event": …, "data": …}` to each webhook that is registered for this event type, once, oldest first. `data`
    /// is put in as it is. A 410 deletes the webhook, as the vendor does; anything else leaves it. Nothing is posted to
    /// another machine: such a webhook gets no answer.
    pub async fn deliver(&self, event: &str, data: &str) -> Vec<Delivery> {
        let body = format!(r#"{{"event":{},"data":{data}}}"#, serde_json::Value::from(event));
        let mut deliveries = Vec::new();
        for webhook in self.account.registry.listening(event) {
            let Some(endpoint) = webhook.endpoint.parse::<Url>().ok().filter(is_loopback) else {
                deliveries.push(Delivery { webhook: webhook.id, status: None });
                continue;
            };
            let reply = self.wire.post(endpoint, body.clone(), None).await;
            match judge(Vendor::Bidsketch, &reply) {
                Verdict::Forget => drop(self.account.registry.gone(webhook.id)),
                Verdict::Delivered | Verdict::Retry => {}
            }
            let status = match reply {
                Reply::Status(status) => Some(status),
                Reply::TimedOut | Reply::Broken(_) => None,
            };
            deliveries.push(Delivery { webhook: webhook.id, status });
        }
        deliveries
    }
}

impl Drop for BidsketchApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn base(address: SocketAddr) -> String {
    format!("http://{address}{BASE}")
}

#[cfg(test)]
mod tests;
