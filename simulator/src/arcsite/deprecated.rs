//! `proposal.signed`, `proposal.sent` and `proposal.approved`: deprecated, but still sent beside
//! `proposal.status_changed`.

use serde::Serialize;

use super::proposal::{ApprovedOption, ProposalOption};
use crate::hook::{Hook, Vendor};
use crate::id::Id;

/// A proposal signed in the app. It names only the drawing that was signed, not the proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// The project.
    pub project_id: Id,
    /// The proposal's name.
    pub name: String,
    /// The signed document. The link expires after 24 hours.
    pub url: String,
    /// The drawing that was signed.
    pub drawing_id: Id,
    /// The version of the drawing.
    pub drawing_version_id: Id,
}

/// A proposal sent to its customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The proposal.
    pub proposal_id: Id,
    /// The project, if the vendor sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Id>,
    /// The proposal's name.
    pub name: String,
    /// The customer's name.
    pub customer_name: String,
    /// The recipient's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_email: Option<String>,
    /// The e-mail addresses of the copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_cc: Option<Vec<String>>,
    /// The seller's e-mail address.
    pub contact_email: String,
    /// The seller's name.
    pub sales_representative: String,
    /// The options that the customer can choose from.
    pub proposal_options: Vec<ProposalOption>,
}

/// An approved proposal: the fields of [`Sent`], and the option that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approved {
    /// The proposal as it was sent.
    #[serde(flatten)]
    pub sent: Sent,
    /// The option that was chosen.
    pub approved_option: ApprovedOption,
}

impl Signed {
    /// `proposal.signed`
    pub fn signed(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "proposal.signed", self)
    }
}

impl Sent {
    /// `proposal.sent`
    pub fn sent(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "proposal.sent", self)
    }
}

impl Approved {
    /// `proposal.approved`
    pub fn approved(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "proposal.approved", self)
    }
}
