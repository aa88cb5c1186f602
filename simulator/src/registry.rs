//! What is registered with the made-up Bidsketch account: its webhooks.
//!
//! The REST API writes here, and whoever delivers reads here and deletes on a 410.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use tokio::sync::mpsc;

use crate::target::is_loopback;

/// One webhook that was registered and not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its id. Ids count up and are not used again.
    pub id: u64,
    /// The one event type that it is for.
    pub event: String,
    /// Where its deliveries go, as it was given. It can hold a secret: show [`Change`] to people instead.
    pub endpoint: String,
}

/// Something that happened to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was registered.
    Registered(Registered),
    /// It was deleted by a call.
    Deleted(Registered),
    /// It was deleted because its endpoint answered 410.
    Gone(Registered),
}

/// The account has as many webhooks as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The webhooks of one account. All of it can be called from any thread.
#[derive(Debug)]
pub struct Registry {
    most: usize,
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    next: u64,
    webhooks: BTreeMap<u64, Registered>,
    watchers: Vec<mpsc::UnboundedSender<Change>>,
}

impl Registry {
    /// An empty one that takes `most` webhooks at a time and gives its first the id `first`.
    pub fn new(first: u64, most: usize) -> Registry {
        let book = Book { next: first, webhooks: BTreeMap::new(), watchers: Vec::new() };
        Registry { most, book: Mutex::new(book) }
    }

    /// Registers a webhook. One that is the same as another is a second webhook, with an id of its own.
    ///
    /// # Errors
    ///
    /// [`Full`] when there are as many as there may be.
    pub fn register(&self, event: &str, endpoint: &str) -> Result<Registered, Full> {
        let mut book = self.book();
        if book.webhooks.len() >= self.most {
            return Err(Full);
        }
        let webhook = Registered { id: book.next, event: event.to_owned(), endpoint: endpoint.to_owned() };
        book.next += 1;
        book.webhooks.insert(webhook.id, webhook.clone());
        book.tell(&Change::Registered(webhook.clone()));
        Ok(webhook)
    }

    /// Deletes a webhook by a call; whether it was there.
    pub fn delete(&self, id: u64) -> bool {
        self.remove(id, Change::Deleted)
    }

    /// Deletes a webhook whose endpoint answered 410; whether it was there.
    pub fn gone(&self, id: u64) -> bool {
        self.remove(id, Change::Gone)
    }

    /// Whether this webhook is registered.
    pub fn has(&self, id: u64) -> bool {
        self.book().webhooks.contains_key(&id)
    }

    /// All that are registered, oldest first.
    pub fn all(&self) -> Vec<Registered> {
        self.book().webhooks.values().cloned().collect()
    }

    /// Those for an event type, oldest first.
    pub fn listening(&self, event: &str) -> Vec<Registered> {
        self.book().webhooks.values().filter(|webhook| webhook.event == event).cloned().collect()
    }

    /// Every change from here on, in order.
    pub fn watch(&self) -> mpsc::UnboundedReceiver<Change> {
        let (watcher, changes) = mpsc::unbounded_channel();
        self.book().watchers.push(watcher);
        changes
    }

    fn remove(&self, id: u64, change: fn(Registered) -> Change) -> bool {
        let mut book = self.book();
        match book.webhooks.remove(&id) {
            Some(webhook) => {
                book.tell(&change(webhook));
                true
            }
            None => false,
        }
    }

    /// A thread that panics midway leaves the book whole: each change is a single insertion or removal.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Tells those who still watch.
    fn tell(&mut self, change: &Change) {
        self.watchers.retain(|watcher| watcher.send(change.clone()).is_ok());
    }
}

/// For people: without the secrets that endpoints hold.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (webhook, what) = match self {
            Change::Registered(webhook) => (webhook, "registered"),
            Change::Deleted(webhook) => (webhook, "deleted"),
            Change::Gone(webhook) => (webhook, "deleted on a 410"),
        };
        write!(f, "webhook {} {what}: {} to {}", webhook.id, webhook.event, webhook.shown_endpoint())
    }
}

impl Registered {
    /// Whether its deliveries stay on this machine.
    pub fn is_on_this_machine(&self) -> bool {
        self.endpoint.parse().is_ok_and(|url| is_loopback(&url))
    }

    /// The endpoint without its secret: the path's last part is hidden, and a query or a name and password are left out.
    pub fn shown_endpoint(&self) -> String {
        let Ok(mut url) = self.endpoint.parse::<Url>() else { return "…".to_owned() };
        let secret = url.path().rsplit('/').next().is_some_and(|last| !last.is_empty());
        url.set_query(None);
        url.set_fragment(None);
        // These fail only for a URL that can have no host, and an endpoint has one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if let (true, Ok(mut segments)) = (secret, url.path_segments_mut()) {
            segments.pop().push("…");
        }
        // The only sign outside ASCII that is encoded like this is ours, or as good as ours.
        url.to_string().replace("%E2%80%A6", "…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_up_and_are_not_used_again() {
        let registry = Registry::new(7, 2);
        let register = || registry.register("client_created", "http://127.0.0.1/").map(|webhook| webhook.id);
        assert_eq!((register(), register(), register()), (Ok(7), Ok(8), Err(Full)));
        assert!(registry.delete(8) && !registry.delete(8));
        assert_eq!(register(), Ok(9));
    }

    #[test]
    fn watchers_hear_of_every_change_in_order() {
        let registry = Registry::new(1, 9);
        let mut changes = registry.watch();
        let one = registry.register("client_created", "http://127.0.0.1/").unwrap();
        let two = registry.register("proposal_sent", "http://127.0.0.1/").unwrap();
        assert!(registry.delete(1) && registry.gone(2) && !registry.gone(2));
        for expected in
            [Change::Registered(one.clone()), Change::Registered(two.clone()), Change::Deleted(one), Change::Gone(two)]
        {
            assert_eq!(changes.try_recv(), Ok(expected));
        }
        assert!(changes.try_recv().is_err());
    }

    #[test]
    fn a_change_is_shown_without_the_secret() {
        let registry = Registry::new(5, 9);
        let webhook = registry.register("client_created", "http://127.0.0.1:8080/webhooks/bidsketch/s3cret").unwrap();
        let what = "client_created to http://127.0.0.1:8080/webhooks/bidsketch/…";
        assert_eq!(Change::Registered(webhook.clone()).to_string(), format!("webhook 5 registered: {what}"));
        assert_eq!(Change::Deleted(webhook.clone()).to_string(), format!("webhook 5 deleted: {what}"));
        assert_eq!(Change::Gone(webhook).to_string(), format!("webhook 5 deleted on a 410: {what}"));
    }

    #[test]
    fn an_endpoint_is_shown_without_its_secret() {
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
