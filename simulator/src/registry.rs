//! The webhooks of the made-up Bidsketch account.
//!
//! The REST API registers and deletes them. The sender reads them, and deletes one whose endpoint
//! answers 410.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use tokio::sync::mpsc;

use crate::target::is_loopback;

/// One registered webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its id. Ids count up and are never reused.
    pub id: u64,
    /// The one event type that it delivers.
    pub event: String,
    /// The URL of its deliveries, as registered. It may hold a secret: show [`Change`] to people
    /// instead.
    pub endpoint: String,
}

/// A change to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was registered.
    Registered(Registered),
    /// It was deleted by a call.
    Deleted(Registered),
    /// It was deleted because its endpoint answered 410.
    Gone(Registered),
}

/// The account has reached its limit of webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The webhooks of one account. Safe to use from any thread.
#[derive(Debug)]
pub struct Registry {
    webhooks_max: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    webhooks: BTreeMap<u64, Registered>,
    watchers: Vec<mpsc::UnboundedSender<Change>>,
}

impl Registry {
    /// Creates an empty registry for up to `webhooks_max` webhooks. The first webhook gets the id
    /// `first`.
    pub fn new(first: u64, webhooks_max: usize) -> Registry {
        let state = State { next: first, webhooks: BTreeMap::new(), watchers: Vec::new() };
        Registry { webhooks_max, state: Mutex::new(state) }
    }

    /// Registers a webhook. A webhook equal to another is a second one, with its own id.
    ///
    /// # Errors
    ///
    /// [`Full`] if the account has reached its limit.
    pub fn register(&self, event: &str, endpoint: &str) -> Result<Registered, Full> {
        let mut state = self.state();
        if state.webhooks.len() >= self.webhooks_max {
            return Err(Full);
        }
        let webhook = Registered { id: state.next, event: event.to_owned(), endpoint: endpoint.to_owned() };
        state.next += 1;
        state.webhooks.insert(webhook.id, webhook.clone());
        state.notify(&Change::Registered(webhook.clone()));
        Ok(webhook)
    }

    /// Deletes a webhook by a call. False if there was none.
    pub fn delete(&self, id: u64) -> bool {
        self.remove(id, Change::Deleted)
    }

    /// Deletes a webhook whose endpoint answered 410. False if there was none.
    pub fn delete_on_410(&self, id: u64) -> bool {
        self.remove(id, Change::Gone)
    }

    /// Whether this webhook is registered.
    pub fn contains(&self, id: u64) -> bool {
        self.state().webhooks.contains_key(&id)
    }

    /// All registered webhooks, oldest first.
    pub fn all(&self) -> Vec<Registered> {
        self.state().webhooks.values().cloned().collect()
    }

    /// The webhooks for an event type, oldest first.
    pub fn webhooks_for(&self, event: &str) -> Vec<Registered> {
        self.state().webhooks.values().filter(|webhook| webhook.event == event).cloned().collect()
    }

    /// Receives every later change, in order.
    pub fn watch(&self) -> mpsc::UnboundedReceiver<Change> {
        let (watcher, changes) = mpsc::unbounded_channel();
        self.state().watchers.push(watcher);
        changes
    }

    fn remove(&self, id: u64, change: fn(Registered) -> Change) -> bool {
        let mut state = self.state();
        match state.webhooks.remove(&id) {
            Some(webhook) => {
                state.notify(&change(webhook));
                true
            }
            None => false,
        }
    }

    /// A panicking thread leaves the state valid: each change is a single insertion or removal.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Sends a change to the watchers that still listen.
    fn notify(&mut self, change: &Change) {
        self.watchers.retain(|watcher| watcher.send(change.clone()).is_ok());
    }
}

/// For people, without the secrets of endpoints.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (webhook, verb) = match self {
            Change::Registered(webhook) => (webhook, "registered"),
            Change::Deleted(webhook) => (webhook, "deleted"),
            Change::Gone(webhook) => (webhook, "deleted on a 410"),
        };
        write!(f, "webhook {} {verb}: {} to {}", webhook.id, webhook.event, webhook.shown_endpoint())
    }
}

impl Registered {
    /// Whether its endpoint is on this machine.
    pub fn is_on_this_machine(&self) -> bool {
        self.endpoint.parse().is_ok_and(|url| is_loopback(&url))
    }

    /// The endpoint without its secrets: the path's last part is hidden, and query, name and
    /// password are removed.
    pub fn shown_endpoint(&self) -> String {
        let Ok(mut url) = self.endpoint.parse::<Url>() else { return "…".to_owned() };
        let has_secret = url.path().rsplit('/').next().is_some_and(|last| !last.is_empty());
        url.set_query(None);
        url.set_fragment(None);
        // These fail only for a URL without a host, and an endpoint has one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if let (true, Ok(mut segments)) = (has_secret, url.path_segments_mut()) {
            segments.pop().push("…");
        }
        // Only our own sign, or an equal one, is encoded like this.
        url.to_string().replace("%E2%80%A6", "…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhook_ids_count_up_and_are_not_reused() {
        let registry = Registry::new(7, 2);
        let register = || registry.register("client_created", "http://127.0.0.1/").map(|webhook| webhook.id);
        assert_eq!((register(), register(), register()), (Ok(7), Ok(8), Err(Full)));
        assert!(registry.delete(8) && !registry.delete(8));
        assert_eq!(register(), Ok(9));
    }

    #[test]
    fn watcher_receives_every_change_in_order() {
        let registry = Registry::new(1, 9);
        let mut changes = registry.watch();
        let first = registry.register("client_created", "http://127.0.0.1/").unwrap();
        let second = registry.register("proposal_sent", "http://127.0.0.1/").unwrap();
        assert!(registry.delete(1) && registry.delete_on_410(2) && !registry.delete_on_410(2));
        for expected in [
            Change::Registered(first.clone()),
            Change::Registered(second.clone()),
            Change::Deleted(first),
            Change::Gone(second),
        ] {
            assert_eq!(changes.try_recv(), Ok(expected));
        }
        assert!(changes.try_recv().is_err());
    }

    #[test]
    fn change_displayed_hides_the_secret() {
        let registry = Registry::new(5, 9);
        let webhook = registry.register("client_created", "http://127.0.0.1:8080/webhooks/bidsketch/s3cret").unwrap();
        let what = "client_created to http://127.0.0.1:8080/webhooks/bidsketch/…";
        assert_eq!(Change::Registered(webhook.clone()).to_string(), format!("webhook 5 registered: {what}"));
        assert_eq!(Change::Deleted(webhook.clone()).to_string(), format!("webhook 5 deleted: {what}"));
        assert_eq!(Change::Gone(webhook).to_string(), format!("webhook 5 deleted on a 410: {what}"));
    }

    #[test]
    fn endpoint_displayed_hides_its_secret() {
        let shown =
            |endpoint: &str| Registered { id: 1, event: String::new(), endpoint: endpoint.to_owned() }.shown_endpoint();
        assert_eq!(
            shown("http://127.0.0.1:8080/webhooks/bidsketch/s3cret"),
            "http://127.0.0.1:8080/webhooks/bidsketch/…"
        );
        assert_eq!(shown("https://me:s3cret@hooks.example/s3cret?key=s3cret#s3cret"), "https://hooks.example/…");
        assert_eq!(shown("https://hooks.example"), "https://hooks.example/");
        assert_eq!(shown("s3cret"), "…");
    }
}
