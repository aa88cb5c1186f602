//! ArcSite's payloads, one file each.
//!
//! ArcSite's tables, samples and older page spell some names differently. Such a name has a field
//! for each spelling: set one of them. A field that is `None` is omitted, unless its doc says that
//! it is sent as null.

mod deprecated;
mod drawing;
pub mod link;
mod payment;
mod project;
mod proposal;

pub use deprecated::{Approved, Sent, Signed};
pub use drawing::Drawing;
pub use link::Links;
pub use payment::{Channel, Payment};
pub use project::{Address, Customer, Project, SalesRep};
pub use proposal::{ApprovedOption, ProposalOption, Status, StatusChanged};

/// Every event type of ArcSite's, the deprecated ones last.
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
