//! An event: the content of a verified delivery in bidarc's own words, before it has a seq in the
//! log.

use super::{Change, EventKind, ProposalStatus, Provider, VendorId};
use crate::clock::Time;

/// An event at a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The vendor that sent it.
    pub provider: Provider,
    /// The kind, in bidarc's vocabulary.
    pub kind: EventKind,
    /// The vendor's own name of the event type.
    pub vendor_type: String,
    /// The object that the event is about.
    pub subject: Subject,
    /// The vendor's ids that the payload names.
    pub references: References,
    /// Identifies further deliveries of the same event.
    pub identity: Identity,
    /// The vendor's time of the event, if it gives one.
    pub occurred_at: Option<Time>,
    /// The vendor's time of the state in the payload (`updated_at`), if it gives one.
    pub state_updated_at: Option<Time>,
    /// The status of a proposal that this event gives.
    pub status: Option<ProposalStatus>,
    /// The change to the subject's state.
    pub change: Change,
    /// The optional fields of the payload that could not be read, each with the reason, in a
    /// sentence for people.
    pub unread: Option<String>,
}

/// The object that an event is about, within its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(pub String);

/// The vendor's ids of the objects to which an event belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// The proposal.
    pub proposal: Option<VendorId>,
    /// The client.
    pub client: Option<VendorId>,
    /// The project.
    pub project: Option<VendorId>,
    /// The drawing.
    pub drawing: Option<VendorId>,
}

/// Two deliveries with equal digests are the same event, within the dedup window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Hexadecimal SHA-256 of everything that must be equal.
    pub digest: String,
    /// How long an equal digest means the same event.
    pub dedup_window: DedupWindow,
}

/// How long a delivery with an equal digest is a redelivery and not a new event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DedupWindow {
    /// For ever. For a creation, and for a fact that carries its own time.
    Unlimited,
    /// Until another event changes the subject, and at most a day. For a state without a time: A,
    /// B, A are three events.
    UntilSubjectChanges,
    /// For some minutes after the last delivery. For an occurrence that can repeat.
    SinceLastDelivery,
}
