//! Looks up the tokens of registered webhooks. One task looks up all that wait in one statement, so
//! that a flood of unknown tokens costs one statement at a time, and delays a right one by no more.

use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::ACCEPT_TIMEOUT;
use crate::store::webhooks::HookToken;
use crate::store::{Store, StoreError, webhooks};

/// How many tokens one statement looks up. Both databases take as many parameters.
const TOKENS_MAX: usize = 500;

/// How many tokens may wait for the task. The next one waits for its place.
const QUEUE_TOKENS_MAX: usize = 1024;

/// The token cannot be looked up right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotLookedUp;

type Owner = Result<Option<HookToken>, NotLookedUp>;

/// A token, by its SHA-256 in hexadecimal digits, and who waits for its owner.
#[derive(Debug)]
struct Lookup {
    hash: String,
    reply: oneshot::Sender<Owner>,
}

/// A handle that passes tokens to the task.
#[derive(Clone, Debug)]
pub struct HookTokens(mpsc::Sender<Lookup>);

impl HookTokens {
    /// Starts the task. It ends with the last handle.
    #[must_use]
    pub fn start(store: Store) -> Self {
        let (queue, lookups) = mpsc::channel(QUEUE_TOKENS_MAX);
        tokio::spawn(run(store, lookups));
        Self(queue)
    }

    /// The webhook that owns a token.
    pub(super) async fn find(&self, hash: String) -> Owner {
        let (reply, owner) = oneshot::channel();
        self.0.send(Lookup { hash, reply }).await.map_err(|_| NotLookedUp)?;
        owner.await.unwrap_or(Err(NotLookedUp))
    }
}

/// Answers lookups until no handle is left. Returns the number of statements.
async fn run(store: Store, mut lookups: mpsc::Receiver<Lookup>) -> usize {
    let mut batch = Vec::new();
    let mut statements = 0;
    while lookups.recv_many(&mut batch, TOKENS_MAX).await > 0 {
        // The time of the others is over.
        batch.retain(|lookup| !lookup.reply.is_closed());
        let hashes = batch.iter().map(|lookup| lookup.hash.as_str());
        let owners = match timeout(ACCEPT_TIMEOUT, webhooks::by_tokens(store.reserved_reader(), hashes)).await {
            Ok(owners) => owners.map_err(|error| error.to_string()),
            Err(_) => Err("the database did not answer in time".to_owned()),
        };
        statements += 1;
        if let Err(error) = &owners {
            tracing::error!(%error, "failed to look up hook tokens; the vendors must send their deliveries again");
        }
        for Lookup { hash, reply } in batch.drain(..) {
            let owner = owners.as_ref().map_err(|_| NotLookedUp).and_then(|owners| owner_of(&hash, owners));
            // It fails if the time of the delivery is over.
            let _ = reply.send(owner);
        }
    }
    statements
}

fn owner_of(hash: &str, owners: &HashMap<String, Result<HookToken, StoreError>>) -> Owner {
    match owners.get(hash) {
        None => Ok(None),
        Some(Ok(owner)) => Ok(Some(*owner)),
        Some(Err(error)) => {
            tracing::error!(%error, "the owner of a hook token cannot be read; the vendor must send its delivery again");
            Err(NotLookedUp)
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::clock::Clock;
    use crate::domain::BidsketchEvent;
    use crate::domain::token;
    use crate::store::webhooks::NewWebhook;

    #[tokio::test]
    async fn tokens_that_wait_are_looked_up_together() {
        let (_directory, store) = Store::for_test().await;
        let tx = store.begin().await.unwrap();
        let new = NewWebhook {
            event: BidsketchEvent::ALL[0],
            endpoint: "https://hooks.example.com/…".to_owned(),
            endpoint_hash: token::hash("endpoint"),
            token_hash: Some(token::hash("right")),
            created_at: Clock::system().now(),
        };
        let webhook = webhooks::insert(&tx, new).await.unwrap();
        store.commit(tx, None).await.unwrap();

        let (queue, lookups) = mpsc::channel(QUEUE_TOKENS_MAX);
        let find = |text: &str| {
            let (reply, owner) = oneshot::channel();
            queue.try_send(Lookup { hash: token::hash(text), reply }).unwrap();
            owner
        };
        let wrong: Vec<_> = (0..2 * TOKENS_MAX - 1).map(|index| find(&index.to_string())).collect();
        let right = find("right");
        drop(queue);
        assert_eq!(run(store.clone(), lookups).await, 2, "statements");
        assert!(join_all(wrong).await.into_iter().all(|owner| owner == Ok(Ok(None))));
        let expected = HookToken { webhook: webhook.id, is_retired: false };
        assert_eq!(right.await, Ok(Ok(Some(expected))));
        store.close().await;
    }
}
