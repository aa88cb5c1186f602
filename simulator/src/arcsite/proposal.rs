//! `proposal.status_changed`, which replaces the three deprecated types.

use serde::Serialize;

use crate::hook::{Hook, Vendor};
use crate::id::Id;
use crate::money::Money;

/// The status of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// New.
    Draft,
    /// Sent to the customer.
    Pending,
    /// Withdrawn.
    Void,
    /// Declined by the customer.
    Lost,
    /// Approved or signed.
    Approved,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 5] = [Status::Draft, Status::Pending, Status::Void, Status::Lost, Status::Approved];
}

/// A proposal with its status. It carries no time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusChanged {
    /// The proposal's id. A change order has its own.
    pub proposal_id: Id,
    /// Its project.
    pub project_id: Id,
    /// Its name.
    pub name: String,
    /// Its current status.
    pub status: Status,
    /// The seller's name.
    pub sales_representative: String,
    /// The seller's e-mail address, not the customer's.
    pub contact_email: String,
    /// The customer's name.
    pub customer_name: String,
    /// The customer's e-mail address.
    pub customer_email: String,
    /// The contractor's number for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_number: Option<String>,
    /// The reason why it ended, with VOID and LOST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_note: Option<String>,
    /// The agreed total, with APPROVED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
    /// The signed document, for 24 hours, with APPROVED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pdf_url: Option<String>,
    /// The option that the customer chose, with APPROVED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_option: Option<ApprovedOption>,
    /// In a change order: the proposal that it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_proposal_id: Option<Id>,
    /// The options that the customer can choose from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal_options: Option<Vec<ProposalOption>>,
    /// The template it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_id: Option<Id>,
}

/// The option that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovedOption {
    /// The option's id.
    pub id: Id,
    /// The drawing it was made from.
    pub drawing_id: Id,
}

/// One option of a proposal: a drawing with its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProposalOption {
    /// Its name.
    pub name: String,
    /// The drawing.
    pub drawing_id: Id,
    /// The version of the drawing.
    pub drawing_version_id: Id,
    /// Its price.
    pub total: Money,
    /// The document, for 24 hours; `None` is sent as null.
    pub pdf_url: Option<String>,
}

impl StatusChanged {
    /// Creates a proposal with only the required fields.
    pub fn new(proposal_id: impl Into<Id>, project_id: impl Into<Id>, name: &str, status: Status) -> StatusChanged {
        StatusChanged {
            proposal_id: proposal_id.into(),
            project_id: project_id.into(),
            name: name.to_owned(),
            status,
            sales_representative: "Wanda Ridgebeam".to_owned(),
            contact_email: "wanda.ridgebeam@example.com".to_owned(),
            customer_name: "Jack".to_owned(),
            customer_email: "jack@example.com".to_owned(),
            document_number: None,
            close_note: None,
            total: None,
            pdf_url: None,
            approved_option: None,
            initial_proposal_id: None,
            proposal_options: None,
            template_id: None,
        }
    }

    /// `proposal.status_changed`
    pub fn status_changed(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "proposal.status_changed", self)
    }
}
