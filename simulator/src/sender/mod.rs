//! Delivers one hook by its vendor's rules.
//!
//! `rules` holds the rules of the vendors' documentation; `outcome` how a delivery can end;
//! `address` its destination; `wire` makes one attempt. This file ties them together.

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
pub use self::rules::{Reply, RetryPolicy, Verdict, judge};
pub(crate) use self::wire::Wire;
use crate::clock;
use crate::hook::{Hook, Vendor};
use crate::registry::Registry;
use crate::signature;
use crate::tally::Tally;
use crate::target::Target;

/// The sending side of both vendors. A run has one: it holds the connections and the deleted
/// webhooks.
#[derive(Debug)]
pub struct Sender {
    wire: Wire,
    target: Target,
    policy: RetryPolicy,
    tally: Arc<Tally>,
    /// The webhooks of the made-up Bidsketch account, if its API is served.
    registry: Option<Arc<Registry>>,
    /// Whether registered webhooks on other machines get deliveries.
    allow_remote: bool,
    /// Configured URLs whose webhook was deleted on a 410. One URL counts as one webhook, because
    /// bidarc gives each webhook its own token.
    forgotten: Mutex<HashSet<Url>>,
    /// Permits for attempts in flight.
    permits: Semaphore,
    /// The clock of signatures.
    now: fn() -> DateTime<Utc>,
}

impl Sender {
    /// Creates a sender to `target` that counts into `tally`. It follows no redirect, since a 3xx
    /// is a failure to a vendor. It uses no proxy, so hooks for a loopback address stay on this
    /// machine.
    pub fn new(target: Target, policy: RetryPolicy, tally: Arc<Tally>) -> Result<Sender, reqwest::Error> {
        let wire = Wire::new(policy.time_out)?;
        let permits = Semaphore::new(policy.workers.max(1));
        let (registry, forgotten) = (None, Mutex::default());
        Ok(Sender { wire, target, policy, tally, registry, allow_remote: false, forgotten, permits, now: clock::now })
    }

    /// Sends Bidsketch's hooks to the registered webhooks instead of the target; to other machines
    /// only if `allow_remote` is set.
    #[must_use]
    pub fn with_registry(mut self, registry: Arc<Registry>, allow_remote: bool) -> Sender {
        self.registry = Some(registry);
        self.allow_remote = allow_remote;
        self
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The tally so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The current addresses of a hook: its vendor's URL at the target. With a registry, a hook of
    /// Bidsketch's goes to each webhook for its event type, oldest first; there may be none.
    pub fn addresses(&self, hook: &Hook) -> Vec<Address> {
        match (hook.vendor, &self.registry) {
            (Vendor::Bidsketch, Some(registry)) => registry
                .webhooks_for(&hook.event)
                .iter()
                .filter(|webhook| self.allow_remote || webhook.is_on_this_machine())
                .filter_map(Address::of_webhook)
                .collect(),
            (Vendor::Arcsite, Some(_)) | (Vendor::Arcsite | Vendor::Bidsketch, None) => {
                vec![self.configured_address(hook.vendor)]
            }
        }
    }

    /// Delivers a hook to its vendor's URL at the target: see [`Sender::deliver_to`].
    pub async fn deliver(&self, hook: &Hook) -> Outcome {
        self.deliver_to(hook, &self.configured_address(hook.vendor)).await
    }

    /// Delivers a hook. It makes attempts until its vendor counts it as delivered, gives up, or
    /// deletes the webhook. With the default policy that can take minutes. A delivery that is
    /// dropped midway stays unfinished in the tally.
    pub async fn deliver_to(&self, hook: &Hook, address: &Address) -> Outcome {
        self.tally.record_start(hook);
        let outcome = self.attempt_until_done(hook, address).await;
        self.tally.record_end(hook, &outcome);
        outcome
    }

    /// Makes one attempt at the target, signed at `signed_at` (Unix seconds) if the vendor signs.
    /// It is not counted, judged or repeated.
    pub async fn attempt(&self, hook: &Hook, signed_at: i64) -> Reply {
        self.attempt_at(&self.configured_address(hook.vendor), hook, signed_at).await
    }

    async fn attempt_at(&self, address: &Address, hook: &Hook, signed_at: i64) -> Reply {
        let secret = match hook.vendor {
            Vendor::Arcsite => self.target.arcsite_secret(),
            Vendor::Bidsketch => None,
        };
        let signed = secret.map(|secret| signature::sign(secret, signed_at, hook.body.as_bytes()));
        self.wire.post(address.url.clone(), hook.body.clone(), signed).await
    }

    async fn attempt_until_done(&self, hook: &Hook, address: &Address) -> Outcome {
        let attempts_max = self.policy.attempts(hook.vendor);
        let mut signed_at = None;
        let mut attempts = 0;
        loop {
            let reply = {
                // The semaphore is never closed. If it were, an attempt without a permit would do
                // no harm.
                let _permit = self.permits.acquire().await.ok();
                // Checked before every attempt: another delivery may have got the 410 during the
                // pause.
                if self.is_unregistered(address) {
                    return Outcome::Unregistered { attempts };
                }
                if self.is_forgotten(address) {
                    return Outcome::Forgotten { attempts };
                }
                let now = (self.now)().timestamp();
                let first = *signed_at.get_or_insert(now);
                self.attempt_at(address, hook, if self.policy.resign { now } else { first }).await
            };
            attempts += 1;
            match judge(hook.vendor, &reply) {
                Verdict::Delivered => {
                    // Only a status gives this verdict; see `judge`.
                    let status = if let Reply::Status(status) = reply { status } else { 200 };
                    return Outcome::Delivered { status, attempts };
                }
                Verdict::Forget => {
                    self.forget(address);
                    return Outcome::Forgotten { attempts };
                }
                Verdict::Retry if attempts < attempts_max => {
                    self.tally.record_retry(hook, &reply);
                    tokio::time::sleep(self.policy.pause(attempts)).await;
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

    fn configured_address(&self, vendor: Vendor) -> Address {
        Address::configured(self.target.url(vendor))
    }

    /// Whether the webhook was registered and has been deleted since.
    fn is_unregistered(&self, address: &Address) -> bool {
        match (&self.registry, address.webhook()) {
            (Some(registry), Some(id)) => !registry.contains(id),
            (Some(_) | None, Some(_) | None) => false,
        }
    }

    fn is_forgotten(&self, address: &Address) -> bool {
        address.webhook().is_none() && self.forgotten().contains(&address.url)
    }

    fn forget(&self, address: &Address) {
        match (&self.registry, address.webhook()) {
            (Some(registry), Some(id)) => drop(registry.delete_on_410(id)),
            (Some(_) | None, Some(_) | None) => drop(self.forgotten().insert(address.url.clone())),
        }
    }

    fn forgotten(&self) -> MutexGuard<'_, HashSet<Url>> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
