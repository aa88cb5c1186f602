//! The account: everything that requests share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Options;
use super::fault::Fault;
use super::rate::Rate;
use super::requests::Requests;
use super::world::World;
use crate::registry::Registry;

/// One account with one token.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) token: String,
    /// Where its API is, for the links in answers.
    pub(super) base: String,
    pub(super) most_webhooks: usize,
    pub(super) registry: Arc<Registry>,
    pub(super) requests: Requests,
    faults: Mutex<VecDeque<Fault>>,
    rate: Mutex<Rate>,
    world: Mutex<World>,
}

impl Account {
    pub(super) fn new(options: Options, base: String) -> Account {
        // Accounts of different numbers share no ids: a service that was pointed at one account and then at another must
        // not take one's webhook for the other's. The first account has ids as in the documentation's sample.
        let first = 1 + ((options.seed & u64::from(u32::MAX)) << 20);
        Account {
            token: options.token,
            base,
            most_webhooks: options.most_webhooks,
            registry: Arc::new(Registry::new(first, options.most_webhooks)),
            requests: Requests::default(),
            faults: Mutex::default(),
            rate: Mutex::new(Rate::new(options.rate)),
            world: Mutex::new(World::past(options.seed)),
        }
    }

    pub(super) fn queue(&self, fault: Fault) {
        lock(&self.faults).push_back(fault);
    }

    /// What is to go wrong with the request that has just come.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        lock(&self.faults).pop_front()
    }

    pub(super) fn rate(&self) -> MutexGuard<'_, Rate> {
        lock(&self.rate)
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

/// Each change to what these hold is a single one, so a thread that panicked has left them whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
