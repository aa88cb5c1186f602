//! Bidsketch's REST API for one made-up account, over real HTTP on this machine.
//!
//! It behaves as the vendor's documentation says. On request it also fails in ways that are not
//! documented: it hangs, closes the connection, or answers with something else. The steps of a
//! request, one file each:
//!
//! 1. `routes`: the paths.
//! 2. `requests`: the log of requests, for tests; `fault`: the faults of requests.
//! 3. `token` and `rate`: authentication and the rate limit.
//! 4. `webhooks` and `pages`: the calls; `world` holds the clients and proposals that the pages
//!    show.
//! 5. `refusal`: every answer that is an error.
//!
//! The webhooks are in a [`Registry`], from which [`crate::sender`] delivers by the vendor's rules.

mod account;
mod fault;
mod pages;
mod rate;
mod refusal;
mod requests;
mod routes;
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
use crate::http_server;
pub use crate::registry::Registered;
use crate::registry::Registry;
use crate::sender::{Reply, RetryPolicy, Verdict, Wire, judge};
use crate::target::is_loopback;

/// The path that every route begins with.
const BASE: &str = "/api/v1";

/// The options of an account and of its API.
#[derive(Clone, Debug)]
pub struct Options {
    /// The one token that is accepted.
    pub token: String,
    /// The address to listen at. Port 0 chooses a free one.
    pub listen: SocketAddr,
    /// The seed of the clients and proposals that the account starts with.
    pub seed: u64,
    /// How many webhooks the account may have at once.
    pub webhooks_max: usize,
    /// The rate limit: how many requests within which time. `None` means no limit.
    pub rate: Option<(u32, Duration)>,
}

/// A free port on loopback, the token `simulated`, 100 webhooks, and the documented 100 requests in
/// 20 seconds.
impl Default for Options {
    fn default() -> Options {
        Options {
            token: "simulated".to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            webhooks_max: 100,
            rate: Some((100, Duration::from_secs(20))),
        }
    }
}

/// The result of one attempt of [`BidsketchApi::deliver`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The webhook's id.
    pub webhook: u64,
    /// The status of its endpoint's answer. `None` without an answer.
    pub status: Option<u16>,
}

/// A running API. Dropping it stops it and closes its connections.
#[derive(Debug)]
pub struct BidsketchApi {
    address: SocketAddr,
    account: Arc<Account>,
    wire: Wire,
    serving: AbortHandle,
}

impl BidsketchApi {
    /// Starts serving.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened at.
    pub async fn start(options: Options) -> io::Result<BidsketchApi> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let wire = Wire::new(RetryPolicy::default().time_out).map_err(io::Error::other)?;
        let account = Arc::new(Account::new(options, base_url(address)));
        let serving = tokio::spawn(http_server::serve(listener, routes::routes(Arc::clone(&account)))).abort_handle();
        Ok(BidsketchApi { address, account, wire, serving })
    }

    /// The URL that the service must use as the vendor's API: `http://127.0.0.1:PORT/api/v1`.
    pub fn url(&self) -> String {
        base_url(self.address)
    }

    /// The registered webhooks, oldest first.
    pub fn webhooks(&self) -> Vec<Registered> {
        self.account.registry.all()
    }

    /// The registry, for a sender and for watchers.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.account.registry)
    }

    /// Every request so far, in the order in which they were complete. Only the newest 10,000 are
    /// kept.
    pub fn requests(&self) -> Vec<Request> {
        self.account.requests.all()
    }

    /// Queues a fault. Each request takes one from the queue.
    pub fn next(&self, fault: Fault) {
        self.account.queue(fault);
    }

    /// Updates the client or proposal on the pages from a hook.
    pub fn learn(&self, hook: &Hook) {
        self.account.world().learn(hook);
    }

    /// Posts `{"event": …, "data": …}` once to each webhook registered for this event type, oldest
    /// first. `data` is used verbatim. A 410 deletes the webhook, as at the vendor; any other
    /// answer leaves it. Nothing is posted to another machine: such a webhook gets status `None`.
    pub async fn deliver(&self, event: &str, data: &str) -> Vec<Delivery> {
        let body = format!(r#"{{"event":{},"data":{data}}}"#, serde_json::Value::from(event));
        let mut deliveries = Vec::new();
        for webhook in self.account.registry.webhooks_for(event) {
            let Some(endpoint) = webhook.endpoint.parse::<Url>().ok().filter(is_loopback) else {
                deliveries.push(Delivery { webhook: webhook.id, status: None });
                continue;
            };
            let reply = self.wire.post(endpoint, body.clone(), None).await;
            match judge(Vendor::Bidsketch, &reply) {
                Verdict::Forget => drop(self.account.registry.delete_on_410(webhook.id)),
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

fn base_url(address: SocketAddr) -> String {
    format!("http://{address}{BASE}")
}

#[cfg(test)]
mod tests;
