//! Delivers one hook by its vendor's rules.
//!
//! `rules` says what the vendors' documentation says; `outcome` is how a delivery can end; this file does the sending.

mod outcome;
mod rules;

use std::collections::HashSet;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url, redirect};
use tokio::sync::Semaphore;

pub use self::outcome::Outcome;
pub use self::rules::{Patience, Reply, Verdict, judge};
use crate::clock;
use crate::hook::{Hook, Vendor};
use crate::signature;
use crate::tally::Tally;
use crate::target::Target;

/// The vendors' sending side. One for a whole run: it holds the connections, and what the vendors remember.
#[derive(Debug)]
pub struct Sender {
    client: Client,
    target: Target,
    patience: Patience,
    tally: Arc<Tally>,
    /// URLs whose webhook was deleted on a 410. One URL is taken for one webhook, as bidarc makes them: it gives each
    /// webhook a token of its own.
    forgotten: Mutex<HashSet<Url>>,
    /// The places on the wire.
    wire: Semaphore,
    /// What time signatures tell.
    now: fn() -> DateTime<Utc>,
}

impl Sender {
    /// A sender to `target`; what it does is counted in `tally`. It follows no redirect (to a vendor a 3xx is a failure)
    /// and uses no proxy, whatever the environment says: hooks for a loopback address stay on this machine.
    pub fn new(target: Target, patience: Patience, tally: Arc<Tally>) -> Result<Sender, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(patience.time_out)
            .user_agent(concat!("bidarc-simulator/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let wire = Semaphore::new(patience.workers.max(1));
        Ok(Sender { client, target, patience, tally, forgotten: Mutex::default(), wire, now: clock::now })
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
        let mut request = self.client.post(self.target.url(hook.vendor)).header(CONTENT_TYPE, "application/json");
        if let (Vendor::Arcsite, Some(secret)) = (hook.vendor, self.target.arcsite_secret()) {
            request = request.header(signature::HEADER, signature::sign(secret, signed_at, hook.body.as_bytes()));
        }
        match request.body(hook.body.clone()).send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // Read to its end, so that the connection can be used again. Only the status counts, so nothing is lost
                // when the rest of the answer breaks off.
                drop(answer.bytes().await);
                Reply::Status(status)
            }
            Err(error) if error.is_timeout() => Reply::TimedOut,
            Err(error) => Reply::Broken(root_cause(&error)),
        }
    }

    async fn pursue(&self, hook: &Hook) -> Outcome {
        let most = self.patience.attempts(hook.vendor);
        let mut signed_at = None;
        let mut attempts = 0;
        loop {
            let reply = {
                // The semaphore is never closed; were it, going on without a place would do no harm.
                let _place = self.wire.acquire().await.ok();
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

/// The innermost reason: "connection refused" rather than "error sending request", and without the URL, which can hold a
/// token.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut words = "the connection failed".to_owned();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests;
