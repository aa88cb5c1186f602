//! The account: the state that all requests share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Options;
use super::fault::Fault;
use super::rate::RateLimit;
use super::requests::Requests;
use super::world::World;
use crate::registry::Registry;

/// An account with one token.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) token: String,
    /// The URL of its API, for the links in answers.
    pub(super) base: String,
    pub(super) webhooks_max: usize,
    pub(super) registry: Arc<Registry>,
    pub(super) requests: Requests,
    faults: Mutex<VecDeque<Fault>>,
    rate: Mutex<RateLimit>,
    world: Mutex<World>,
}

impl Account {
    pub(super) fn new(options: Options, base: String) -> Account {
        // Accounts with different seeds share no ids. A service that used one account and then
        // another must not confuse their webhooks. The ids of the account with seed 0 look like
        // those in the documentation's sample.
        let first_id = 1 + ((options.seed & u64::from(u32::MAX)) << 20);
        Account {
            token: options.token,
            base,
            webhooks_max: options.webhooks_max,
            registry: Arc::new(Registry::new(first_id, options.webhooks_max)),
            requests: Requests::default(),
            faults: Mutex::default(),
            rate: Mutex::new(RateLimit::new(options.rate)),
            world: Mutex::new(World::with_history(options.seed)),
        }
    }

    pub(super) fn queue(&self, fault: Fault) {
        lock(&self.faults).push_back(fault);
    }

    /// Takes the fault of the request that was just received.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        lock(&self.faults).pop_front()
    }

    pub(super) fn rate(&self) -> MutexGuard<'_, RateLimit> {
        lock(&self.rate)
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

/// A panicking thread leaves the values valid: each change is a single one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
