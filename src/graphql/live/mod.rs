//! Equal live subscriptions share one execution, and each response is encoded once for all of them:
//! a [`Broadcast`].
//!
//! Subscriptions are equal if they have the same document, operation, variables and scope
//! ([`SharingKey`]); the cursor may differ. A subscription with a cursor first catches up by a
//! separate execution, and then joins the broadcast ([`subscribe_shared`]).
//!
//! A broadcast keeps a backlog of its newest messages, and each subscriber has a position in it. A
//! slow subscriber therefore delays no other. A subscriber that falls behind the backlog catches up
//! again, by an execution of its own, and rejoins.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

mod broadcast;
mod catch_up;
mod sharing_key;
pub(crate) mod stream;

pub(super) use catch_up::subscribe_shared;
pub(super) use sharing_key::{Sharing, SharingKey, find_sharing};

use crate::domain::Seq;
use catch_up::Shared;

/// The position after which an execution begins. It replaces the cursor in the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartAt(pub(crate) Seq);

/// The position at which an execution stops, and whether it got there.
#[derive(Clone, Debug)]
pub(crate) struct StopAt {
    /// The last position that the execution delivers.
    pub(crate) up_to: Seq,
    /// Set when everything up to `up_to` is delivered.
    pub(crate) reached: PositionCell,
}

/// A position that an execution hands to the reader of its messages: as data of the request that of
/// its next message, set before the message is resolved. A message without a position, such as an
/// error, belongs to no event.
#[derive(Clone, Debug, Default)]
pub(crate) struct PositionCell(Arc<Mutex<Option<Seq>>>);

impl PositionCell {
    /// Sets the position.
    pub(crate) fn set(&self, position: Seq) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(position);
    }

    /// The position that was set since the last call.
    fn take(&self) -> Option<Seq> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How many bytes the backlogs of all broadcasts have together.
const ALL_BACKLOGS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The running broadcasts.
#[derive(Clone, Default)]
pub(super) struct Broadcasts(Arc<Mutex<HashMap<SharingKey, Weak<Shared>>>>);

impl Broadcasts {
    /// The running broadcast of this key. If there is none, `start` creates it.
    /// `start` gets the size of its backlog: all have an equal share of [`ALL_BACKLOGS_BYTES_MAX`].
    fn get_or_start(&self, key: &SharingKey, start: impl FnOnce(usize) -> Arc<Shared>) -> Arc<Shared> {
        let mut broadcasts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(broadcast) = broadcasts.get(key).and_then(Weak::upgrade)
            && !broadcast.has_ended()
        {
            return broadcast;
        }
        // Starting a broadcast removes those without subscribers, which bounds the map by the
        // number of broadcasts in use.
        let running: Vec<_> = broadcasts.values().filter_map(Weak::upgrade).collect();
        broadcasts.retain(|_, broadcast| broadcast.strong_count() > 1);
        let share = backlog_share(running.len() + 1);
        for other in &running {
            other.limit_backlog(share);
        }
        let broadcast = start(share);
        broadcasts.insert(key.clone(), Arc::downgrade(&broadcast));
        broadcast
    }
}

/// How many bytes the backlog of each of so many broadcasts has.
const fn backlog_share(broadcasts: usize) -> usize {
    ALL_BACKLOGS_BYTES_MAX / broadcasts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backlogs_share_all_bytes_that_they_may_have() {
        assert_eq!(backlog_share(1), 67_108_864);
        for broadcasts in [2, 3, 64, 1000] {
            let together = backlog_share(broadcasts) * broadcasts;
            assert!((67_108_864 - broadcasts..=67_108_864).contains(&together), "{broadcasts} broadcasts: {together}");
        }
    }

    #[test]
    fn position_is_taken_once() {
        let cell = PositionCell::default();
        assert_eq!(cell.take(), None);
        cell.set(Seq(7));
        assert_eq!(cell.clone().take(), Some(Seq(7)));
        assert_eq!(cell.take(), None);
    }
}
