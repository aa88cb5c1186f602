//! Delivers one hook by its vendor's rules.
//!
//! `rules` says what the vendors' documentation says; `outcome` is how a delivery can end; `wire` makes one attempt; this
//! file does the sending.

mod outcome;
mod rules;
mod wire;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::Url;
use tokio::sync::Semaphore;

pub use self::outcome::Outcome;
pub use self::rules::{Patience, Reply, Verdict, judge};
pub(crate) use self::wire::Wire;
use crate::clock;
use crate::hook::{Hook, Vendor};
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
    /// URLs whose webhook was deleted on a 410. One URL is taken for one webhook, as bidarc makes them: it gives each
    /// webhook a token of its own.
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
        Ok(Sender { wire, target, patience, tally, forgotten: Mutex::default(), places, now: clock::now })
    }

    /// Where it sends.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What it has done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Delivers a hook: attempts and pauses until its vendor takes it for delivered, gives up, or deletes the webhook.
    /// With the usual patience that can take minutes. Dropped midway, the delivery stays unfinished in the tally.
    pub async fn deliver(&self, hook: &Hook) -> Outcome {
        self.tally.begun(hook);
        let outcome = self.pursue(hook).await;
        self.tally.ended(hook, &outcome);
        outcome
    }

    /// One attempt, signed at `signed_at` (Unix seconds) where the vendor signs. It is not counted, not judged and not
    /// repeated.
    pub async fn attempt(&self, hook: &Hook, signed_at: i64) -> Reply {
        let secret = match hook.vendor {
            Vendor::Arcsite => self.target.arcsite_secret(),
            Vendor::Bidsketch => None,
        };
        let signed = secret.map(|secret| signature::sign(secret, signed_at, hook.body.as_bytes()));
        self.wire.post(self.target.url(hook.vendor), hook.body.clone(), signed).await
    }

    async fn pursue(&self, hook: &Hook) -> Outcome {
        let most = self.patience.attempts(hook.vendor);
        let mut signed_at = None;
        let mut attempts = 0;
        loop {
            let reply = {
                // The semaphore is never closed; were it, going on without a place would do no harm.
                let _place = self.places.acquire().await.ok();
                // Asked anew before every attempt: another delivery may have met the 410 during the pause.
                if self.is_forgotten(hook.vendor) {
                    return Outcome::Forgotten { attempts };
                }
                let now = (self.now)().timestamp();
                let first = *signed_at.get_or_insert(now);
                self.attempt(hook, if self.patience.resign { now } else { first }).await
            };
            attempts += 1;
            match judge(hook.vendor, &reply) {
                Verdict::Delivered => {
                    // A verdict of delivered comes from a status alone; see `judge`.
                    let status = if let Reply::Status(status) = reply { status } else { 200 };
                    return Outcome::Delivered { status, attempts };
                }
                Verdict::Forget => {
                    self.forget(hook.vendor);
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

    fn is_forgotten(&self, vendor: Vendor) -> bool {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).contains(&self.target.url(vendor))
    }

    fn forget(&self, vendor: Vendor) {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).insert(self.target.url(vendor));
    }
}

#[cfg(test)]
mod tests;
