//! The changes that an event makes to the state of its subject: new values for some fields, none
//! for the others.

use chrono::NaiveDate;

use super::people::{AddressChange, ContactChange, CustomerChange, SalesRepChange};
use super::{Money, ProposalStatus, VendorId};
use crate::clock::Time;

/// The change of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The event does not mention the field. The stored value stays.
    #[default]
    Missing,
    /// The field is empty. The stored value is cleared.
    Null,
    /// The field has this value.
    Value(T),
}

impl<T> Patch<T> {
    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }

    /// Whether the event does not mention the field.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Converts the value.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Missing => Patch::Missing,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(map(value)),
        }
    }

    /// This patch, or `other` if this one is missing: for a field with two spellings.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_missing() { other } else { self }
    }

    /// Converts the value, which may fail.
    pub fn try_map<U, E>(self, map: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Missing => Patch::Missing,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(map(value)?),
        })
    }
}

impl<T> From<Option<T>> for Patch<T> {
    /// A value, or `Missing`.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Self::Value)
    }
}

/// The change that an event makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A project.
    Project(VendorId, Box<ProjectChange>),
    /// A drawing.
    Drawing(VendorId, Box<DrawingChange>),
    /// A client.
    Client(VendorId, Box<ClientChange>),
    /// A proposal of the event's provider.
    Proposal(VendorId, Box<ProposalChange>),
    /// Adds a payment and changes nothing.
    Payment(Box<NewPayment>),
    /// No change.
    Nothing,
}

/// The change of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the project")]
pub struct ProjectChange {
    pub name: Patch<String>,
    pub job_number: Patch<String>,
    pub tags: Patch<Vec<String>>,
    pub customer: Patch<CustomerChange>,
    pub work_site_address: Patch<AddressChange>,
    pub sales_rep: Patch<SalesRepChange>,
    pub created_at: Patch<Time>,
    pub updated_at: Patch<Time>,
}

/// The change of a drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the drawing")]
pub struct DrawingChange {
    pub project_vendor_id: Patch<VendorId>,
    pub name: Patch<String>,
    pub tags: Patch<Vec<String>>,
    pub pdf_url: Patch<String>,
    pub png_url: Patch<String>,
    pub file_name: Patch<String>,
}

/// The change of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the client")]
pub struct ClientChange {
    pub name: Patch<String>,
    pub first_name: Patch<String>,
    pub last_name: Patch<String>,
    pub email: Patch<String>,
    pub phone: Patch<String>,
    pub alt_phone: Patch<String>,
    pub website: Patch<String>,
    pub address_field_one: Patch<String>,
    pub address_field_two: Patch<String>,
    pub city: Patch<String>,
    pub state: Patch<String>,
    pub postal_zip: Patch<String>,
    pub country: Patch<String>,
    pub notes: Patch<String>,
    pub other_contact: Patch<ContactChange>,
    pub url: Patch<String>,
    pub app_url: Patch<String>,
    pub created_at: Patch<Time>,
    pub updated_at: Patch<Time>,
}

/// The change of a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the proposal")]
pub struct ProposalChange {
    pub name: Patch<String>,
    pub description: Patch<String>,
    pub status: StatusChange,
    pub is_draft: Patch<bool>,
    pub owner: Patch<String>,
    pub currency: Patch<String>,
    pub total: Patch<Money>,
    pub one_time_fees: Patch<Money>,
    pub monthly_fees: Patch<Money>,
    pub yearly_fees: Patch<Money>,
    pub tax: Patch<Money>,
    pub tax2: Patch<Money>,
    pub discount: Patch<Money>,
    pub customer_name: Patch<String>,
    pub customer_email: Patch<String>,
    pub client_vendor_id: Patch<VendorId>,
    pub project_vendor_id: Patch<VendorId>,
    pub drawing_vendor_id: Patch<VendorId>,
    pub url: Patch<String>,
    pub app_url: Patch<String>,
    pub created_at: Patch<Time>,
    pub updated_at: Patch<Time>,
}

/// The change of a proposal's status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StatusChange {
    /// The event does not mention the status.
    #[default]
    Missing,
    /// The payload states the status, in the vendor's word. `None` for a word that is not
    /// documented.
    Stated(Option<ProposalStatus>, String),
    /// Only the event's type implies the status. An implied status advances a proposal but never
    /// reverts a stated one, because the deprecated `proposal.sent` may arrive after the approval.
    Implied(ProposalStatus, &'static str),
}

impl StatusChange {
    /// The status that this event gives.
    #[must_use]
    pub const fn status(&self) -> Option<ProposalStatus> {
        match self {
            Self::Missing => None,
            Self::Stated(status, _) => *status,
            Self::Implied(status, _) => Some(*status),
        }
    }
}

/// A payment on a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    /// The proposal that was paid.
    pub proposal: VendorId,
    /// The drawing from which the proposal was made.
    pub drawing: Option<VendorId>,
    /// This payment alone, not the sum.
    pub amount: Money,
    /// `arcsite_payment` or `mark_as_paid`.
    pub channel: String,
    /// The payment method, in the vendor's words.
    pub method: Option<String>,
    /// The time of payment, if it was made through ArcSite.
    pub paid_at: Option<Time>,
    /// The day of payment, if a person marked it as paid.
    pub paid_on: Option<NaiveDate>,
}
