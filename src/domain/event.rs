//! An event: what a verified delivery says, in our own words, before it has a place in the log.

use super::{Change, EventKind, ProposalStatus, Provider, VendorId};
use crate::clock::Time;

/// What happened at a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who sent it.
    pub provider: Provider,
    /// What happened.
    pub kind: EventKind,
    /// The vendor's own name for it.
    pub vendor_type: String,
    /// What it is about.
    pub subject: Subject,
    /// The vendor's ids that the payload names.
    pub references: References,
    /// What makes another delivery the same event.
    pub identity: Identity,
    /// The vendor's time of it, where it gives one.
    pub occurred_at: Option<Time>,
    /// The vendor's time of the state it carries (`updated_at`), where it gives one.
    pub state_updated_at: Option<Time>,
    /// A proposal's status as this event gave it.
    pub status: Option<ProposalStatus>,
    /// What it changes.
    pub change: Change,
}

/// What an event is about, within its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(pub String);

/// The vendor's ids of what an event belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Its proposal.
    pub proposal: Option<VendorId>,
    /// Its client.
    pub client: Option<VendorId>,
    /// Its project.
    pub project: Option<VendorId>,
    /// Its drawing.
    pub drawing: Option<VendorId>,
}

/// What makes two deliveries the same event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Hexadecimal SHA-256 of what has to be equal.
    pub digest: String,
    /// How long equality means sameness.
    pub dedup_window: DedupWindow,
}

/// How long an equal delivery is a redelivery and not a new event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DedupWindow {
    /// For ever: a creation, or a fact that carries its own time.
    Unlimited,
    /// A state without a time: while nothing else happened to its subject, within a day; A, B, A are three.
    UntilSubjectChanges,
    /// An occurrence: within minutes of its last delivery.
    SinceLastDelivery,
}
