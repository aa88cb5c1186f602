//! Delivers one hook by its vendor's rules.
//!
//! `rules` says what the vendors' documentation says; `outcome` is how a delivery can end; `address` is where it goes; `wire`
//! makes one attempt; this file does the sending.

mod address;
mod outcome;
mod rules;
mod wire;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::Url;
use tokio::sync::Semaphore;

pub use self::address::Address;
pub use self::outcome::Outcome;
pub use self::rules::{Patience, Reply, Verdict, judge};
pub(crate) use self::wire::Wire;
use crate::clock;
use crate::hook::{Hook, Vendor};
use crate::registry::Registry;
use crate::signature;
use crate::tally::Tally;
use crate::target::Target;

/// The vendors' sending side. One for a whole run: it holds the connections, and what the vendors remember.
#[derive(Debug)]
pub struct Sender {
    wire: Wire,
    target: Target,
    patience: Patience,
    tally: Arc<Tally>,
    /// What is registered with the made-up Bidsketch account, where its API is served.
    registry: Option<Arc<Registry>>,
    /// Whether registered webhooks on other machines are delivered to.
    remote: bool,
    /// URLs that are in no registry and whose webhook was deleted on a 410. One URL is taken for one webhook, as bidarc
    /// makes them: it gives each webhook a token of its own.
    forgotten: Mutex<HashSet<Url>>,
    /// The places on the wire.
    places: Semaphore,
    /// What time signatures tell.
    now: fn() -> DateTime<Utc>,
}

impl Sender {
    /// A sender to `target`; what it does is counted in `tally`. It follows no redirect (to a vendor a 3xx is a failure)
    /// and uses no proxy, whatever the environment says: hooks for a loopback address stay on this machine.
    pub fn new(target: Target, patience: Patience, tally: Arc<Tally>) -> Result<Sender, reqwest::Error> {
        let wire = Wire::new(patience.time_out)?;
        let places = Semaphore::new(patience.workers.max(1));
        let (registry, forgotten) = (None, Mutex::default());
        Ok(Sender { wire, target, patience, tally, registry, remote: false, forgotten, places, now: clock::now })
    }

    /// Bidsketch's hooks go to what is registered, not to the target; to other machines only if `remote`.
    #[must_use]
    pub fn with_registry(mut self, registry: Arc<Registry>, remote: bool) -> Sender {
        self.registry = Some(registry);
        self.remote = remote;
        self
    }

    /// Where it sends.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What it has done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Where this hook goes now: to its vendor's URL of the target; where there is a registry, a hook of Bidsketch's to
    /// each webhook for its event type, oldest first, which can be none.
    pub fn addresses(&self, hook: &Hook) -> Vec<Address> {
        match (hook.vendor, &self.registry) {
            (Vendor::Bidsketch, Some(registry)) => registry
                .listening(&hook.event)
                .iter()
                .filter(|webhook| self.remote || webhook.is_on_this_machine())
                .filter_map(Address::of)
                .collect(),
            (Vendor::Arcsite, Some(_)) | (Vendor::Arcsite | Vendor::Bidsketch, None) => vec![self.by_hand(hook.vendor)],
        }
    }

    /// Delivers a hook to its vendor's URL of the target: see [`Sender::deliver_to`].
    pub async fn deliver(&self, hook: &Hook) -> Outcome {
        self.deliver_to(hook, &self.by_hand(hook.vendor)).await
    }

    /// Delivers a hook: attempts and pauses until its vendor takes it for delivered, gives up, or deletes the webhook.
    /// With the usual patience that can take minutes. Dropped midway, the delivery stays unfinished in the tally.
    pub async fn deliver_to(&self, hook: &Hook, address: &Address) -> Outcome {
        self.tally.begun(hook);
        let outcome = self.pursue(hook, address).await;
        self.tally.ended(hook, &outcome);
        outcome
    }

    /// One attempt at the target, signed at `signed_at` (Unix seconds) where the vendor signs. It is not counted, not
    /// judged and not repeated.
    pub async fn attempt(&self, hook: &Hook, signed_at: i64) -> Reply {
        self.attempt_at(&self.by_hand(hook.vendor), hook, signed_at).await
    }

    async fn attempt_at(&self, address: &Address, hook: &Hook, signed_at: i64) -> Reply {
        let secret = match hook.vendor {
            Vendor::Arcsite => self.target.arcsite_secret(),
            Vendor::Bidsketch => None,
        };
        let signed = secret.map(|secret| signature::sign(secret, signed_at, hook.body.as_bytes()));
        self.wire.post(address.url.clone(), hook.body.clone(), signed).await
    }

    async fn pursue(&self, hook: &Hook, address: &Address) -> Outcome {
        let most = self.patience.attempts(hook.vendor);
        let mut signed_at = None;
        let mut attempts = 0;
        loop {
            let reply = {
                // The semaphore is never closed; were it, going on without a place would do no harm.
                let _place = self.places.acquire().await.ok();
                // Asked anew before every attempt: another delivery may have met the 410 during the pause.
                if self.is_unregistered(address) {
                    return Outcome::Unregistered { attempts };
                }
                if self.is_forgotten(address) {
                    return Outcome::Forgotten { attempts };
                }
                let now = (self.now)().timestamp();
                let first = *signed_at.get_or_insert(now);
                self.attempt_at(address, hook, if self.patience.resign { now } else { first }).await
            };
            attempts += 1;
            match judge(hook.vendor, &reply) {
                Verdict::Delivered => {
                    // A verdict of delivered comes from a status alone; see `judge`.
                    let status = if let Reply::Status(status) = reply { status } else { 200 };
                    return Outcome::Delivered { status, attempts };
                }
                Verdict::Forget => {
                    self.forget(address);
                    return Outcome::Forgotten { attempts };
                }
                Verdict::Retry if attempts < most => {
                    self.tally.retried(hook, &reply);
                    tokio::time::sleep(self.patience.pause(attempts)).await;
                }
                Verdict::Retry => {
                    return match hook.vendor {
                        Vendor::Arcsite => Outcome::GivenUp { attempts, last: reply },
                        Vendor::Bidsketch => Outcome::AdminEmailed { attempts, last: reply },
                    };
                }
            }
        }
    }

    fn by_hand(&self, vendor: Vendor) -> Address {
        Address::by_hand(self.target.url(vendor))
    }

    /// Whether the webhook was registered and is no more, whoever deleted it.
    fn is_unregistered(&self, address: &Address) -> bool {
        match (&self.registry, address.webhook()) {
            (Some(registry), Some(id)) => !registry.has(id),
            (Some(_) | None, Some(_) | None) => false,
        }
    }

    fn is_forgotten(&self, address: &Address) -> bool {
        address.webhook().is_none() && self.forgotten().contains(&address.url)
    }

    fn forget(&self, address: &Address) {
        match (&self.registry, address.webhook()) {
            (Some(registry), Some(id)) => drop(registry.gone(id)),
            (Some(_) | None, Some(_) | None) => drop(self.forgotten().insert(address.url.clone())),
        }
    }

    fn forgotten(&self) -> MutexGuard<'_, HashSet<Url>> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
