//! ArcSite's payloads, one file a noun.
//!
//! What ArcSite spells in two ways (its tables, its samples and its older page differ) has a field for each spelling:
//! set one of the two. A field that is `None` is left out, except where the field's words say that it is sent as null.

mod deprecated;
mod drawing;
pub mod link;
mod payment;
mod project;
mod proposal;

pub use deprecated::{Approved, Sent, Signed};
pub use drawing::Drawing;
pub use payment::{Channel, Payment};
pub use project::{Address, Customer, Project, SalesRep};
pub use proposal::{ApprovedOption, ProposalOption, Status, StatusChanged};

/// Every event type that ArcSite sends, the deprecated ones last.
pub const EVENTS: &[&str] = &[
    "project.created",
    "project.updated",
    "drawing.created",
    "drawing.updated",
    "proposal.status_changed",
    "proposal.payment.received",
    "proposal.signed",
    "proposal.sent",
    "proposal.approved",
];
