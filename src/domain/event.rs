//! An event: the content of a verified delivery in bidarc's own words, before it has a seq in the
//! log.

use chrono::TimeDelta;

use super::{Change, EventKind, FileLink, Patch, ProposalStatus, Provider, VendorId};
use crate::clock::Time;

/// How far a vendor's time may be after the arrival of its event and still be believed. Clocks
/// differ by seconds; a time that is further ahead would order the state for as long as it is.
const VENDOR_TIME_AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);

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
    /// The vendor's time of the state in the payload (`updated_at`), if it gives one that is
    /// believed.
    pub state_updated_at: Option<Time>,
    /// The status of a proposal that this event gives.
    pub status: Option<ProposalStatus>,
    /// The change to the subject's state.
    pub change: Change,
    /// The links to files that the payload names.
    pub files: Vec<FileLink>,
    /// The optional fields of the payload that could not be read, each with the reason, in a
    /// sentence for people.
    pub unread: Option<String>,
}

impl Event {
    /// Whether a time of the vendor in it is too far after its arrival to be believed.
    #[must_use]
    pub fn is_dated_ahead(&self, arrival: Time) -> bool {
        self.occurred_at.max(self.state_updated_at).is_some_and(|time| is_ahead(time, arrival))
    }

    /// The vendor's time of the event, if it gives one that is believed.
    #[must_use]
    pub fn believed_time(&self, arrival: Time) -> Option<Time> {
        self.occurred_at.filter(|time| !is_ahead(*time, arrival))
    }

    /// Removes the time of the state if it is too far after the arrival to be believed. The event
    /// is then ordered as one without a time, and leaves `updated_at` as it is.
    pub fn distrust_time_ahead(&mut self, arrival: Time) {
        if !self.state_updated_at.is_some_and(|time| is_ahead(time, arrival)) {
            return;
        }
        self.state_updated_at = None;
        match &mut self.change {
            Change::Project(_, change) => change.updated_at = Patch::Missing,
            Change::Client(_, change) => change.updated_at = Patch::Missing,
            Change::Proposal(_, change) => change.updated_at = Patch::Missing,
            Change::Drawing(..) | Change::Payment(_) | Change::Nothing => {}
        }
    }
}

fn is_ahead(time: Time, arrival: Time) -> bool {
    time.signed_duration_since(arrival) > VENDOR_TIME_AHEAD_MAX
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

impl DedupWindow {
    /// The window of an event of a kind. `is_dated` says whether the vendor gives the time of the
    /// event: a fact with its own time is the same for ever.
    #[must_use]
    pub const fn of(kind: EventKind, is_dated: bool) -> Self {
        match kind {
            EventKind::ProjectCreated
            | EventKind::DrawingCreated
            | EventKind::ClientCreated
            | EventKind::ProposalCreated => Self::Unlimited,
            EventKind::ProposalSent | EventKind::ProposalViewed => Self::SinceLastDelivery,
            // Two equal payments marked on one day have identical bodies. Only a payment with a
            // time can be told from a second one.
            EventKind::ProposalPaymentReceived if !is_dated => Self::SinceLastDelivery,
            EventKind::ProjectUpdated
            | EventKind::DrawingUpdated
            | EventKind::ProposalAccepted
            | EventKind::ProposalDeclined
            | EventKind::ProposalStatusChanged
            | EventKind::ProposalSigned
            | EventKind::ProposalApproved
            | EventKind::ProposalPaymentReceived
            | EventKind::Unrecognized => {
                if is_dated {
                    Self::Unlimited
                } else {
                    Self::UntilSubjectChanges
                }
            }
        }
    }
}
