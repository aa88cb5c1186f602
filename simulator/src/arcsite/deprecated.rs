//! `proposal.signed`, `proposal.sent` and `proposal.approved`: deprecated, and still sent beside
//! `proposal.status_changed`.

use serde::Serialize;

use super::proposal::{ApprovedOption, ProposalOption};
use crate::hook::{Hook, Vendor};
use crate::id::Id;

/// A proposal signed in the app. It names no proposal, only the drawing that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// The project.
    pub project_id: Id,
    /// The proposal's name.
    pub name: String,
    /// The signed document, for 24 hours.
    pub url: String,
    /// The drawing that was signed.
    pub drawing_id: Id,
    /// The drawing as it was then.
    pub drawing_version_id: Id,
}

/// A proposal sent to its customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The proposal.
    pub proposal_id: Id,
    /// The project, where the vendor says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Id>,
    /// The proposal's name.
    pub name: String,
    /// The customer's name.
    pub customer_name: String,
    /// Where it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_email: Option<String>,
    /// Who got a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_cc: Option<Vec<String>>,
    /// The seller's e-mail address.
    pub contact_email: String,
    /// The seller's name.
    pub sales_representative: String,
    /// What the customer can choose from.
    pub proposal_options: Vec<ProposalOption>,
}

/// A proposal approved: what [`Sent`] has, and the option that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approved {
    /// As it was sent.
    #[serde(flatten)]
    pub sent: Sent,
    /// The option that was taken.
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
