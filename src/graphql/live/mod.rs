//! Live subscriptions that ask for the same are executed once, and each response is written once for all of them.
//!
//! Which are the same is what [`plan`] says: the same document, operation, variables and scope, but for the cursor that a
//! subscription goes on from. Whoever comes with a cursor first gets what it has missed by an execution of its own, up to where it
//! can join the others ([`Joining`]). A [`group`] keeps what it gave lately: each reader has a place in that, so that a slow one
//! holds nobody up, and one that falls behind what is kept is told to come again with its cursor.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

mod broadcast;
mod catch_up;
pub(crate) mod position;
mod sharing_key;
pub(crate) mod stream;

pub(super) use broadcast::{Broadcast, Subscriber};
pub(super) use catch_up::{RequestTemplate, subscribe_shared};
pub(super) use sharing_key::{SharingKey, find_sharing};

use crate::domain::Seq;

/// Where an execution begins, in place of the cursor in its document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartAt(pub(crate) Seq);

/// How far an execution goes, and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct StopAt {
    /// The last place.
    pub(crate) up_to: Seq,
    /// Set once everything up to there was given.
    pub(crate) reached: PositionCell,
}

/// A place that an execution notes for whoever reads what it gives: that of the event that comes next, or where it has arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct PositionCell(Arc<Mutex<Option<Seq>>>);

impl PositionCell {
    /// Notes a place.
    pub(crate) fn set(&self, place: Seq) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// What was noted since this was last asked for.
    fn take(&self) -> Option<Seq> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The place of the event that an execution gives next: noted before the event is resolved. What it gives without one, an error,
/// belongs to no event.
#[derive(Clone, Debug, Default)]
pub(crate) struct NextEventPosition(pub(crate) PositionCell);

/// The groups that there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Broadcasts(Arc<Mutex<HashMap<SharingKey, Weak<Broadcast>>>>);

impl Broadcasts {
    /// The group of those who ask for this; where there is none, one that `begin` makes.
    fn get_or_start(&self, key: &SharingKey, begin: impl FnOnce() -> Arc<Broadcast>) -> Arc<Broadcast> {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = groups.get(key).and_then(Weak::upgrade)
            && !group.has_ended()
        {
            return group;
        }
        // Those that nobody reads any more go when another is made: there are never more than twice as many as were read at once.
        groups.retain(|_, group| group.strong_count() > 0);
        let group = begin();
        groups.insert(key.clone(), Arc::downgrade(&group));
        group
    }
}
