//! The `data` of ArcSite's webhooks, by its documentation of 2026-06-25 and an older page that
//! spells some names differently. Required are the ids that the documentation marks so, the amount
//! of a payment and the status of a status change.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::clock::Time;
use crate::domain::{Money, Patch, VendorId};
use crate::vendor::wire::{nested_object, required};

/// `project.created`, `project.updated`.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Project {
    #[serde(deserialize_with = "required")]
    pub id: VendorId,
    #[serde(default)]
    pub name: Patch<String>,
    #[serde(default)]
    pub job_number: Patch<String>,
    #[serde(default)]
    pub tags: Patch<Vec<String>>,
    #[serde(default)]
    pub customer: Patch<Customer>,
    #[serde(default)]
    pub work_site_address: Patch<Address>,
    /// The older page's spelling of `work_site_address`.
    #[serde(default)]
    pub work_site_addreess: Patch<Address>,
    #[serde(default)]
    pub sales_rep: Patch<SalesRep>,
    /// One sample's spelling of `sales_rep`.
    #[serde(default)]
    pub sale_rep: Patch<SalesRep>,
    #[serde(default)]
    pub created_at: Patch<Time>,
    #[serde(default)]
    pub updated_at: Patch<Time>,
}

/// The customer of a project.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Customer {
    #[serde(default)]
    pub name: Patch<String>,
    #[serde(default)]
    pub phone: Patch<String>,
    #[serde(default)]
    pub second_phone: Patch<String>,
    #[serde(default)]
    pub email: Patch<String>,
    #[serde(default)]
    pub second_email: Patch<String>,
    #[serde(default)]
    pub address: Patch<Address>,
}

/// A postal address.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Address {
    #[serde(default)]
    pub street: Patch<String>,
    #[serde(default)]
    pub city: Patch<String>,
    #[serde(default)]
    pub county: Patch<String>,
    /// One table's spelling of `county`.
    #[serde(default)]
    pub countity: Patch<String>,
    #[serde(default)]
    pub state: Patch<String>,
    /// One table's spelling of `state`.
    #[serde(default, rename = "State")]
    pub capital_state: Patch<String>,
    #[serde(default)]
    pub zip_code: Patch<String>,
}

/// The sales representative of a project.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct SalesRep {
    #[serde(default)]
    pub name: Patch<String>,
    #[serde(default)]
    pub email: Patch<String>,
    #[serde(default)]
    pub phone: Patch<String>,
}

/// `drawing.created`, `drawing.updated`. The links expire after 24 hours.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Drawing {
    #[serde(deserialize_with = "required")]
    pub id: VendorId,
    #[serde(deserialize_with = "required")]
    pub project_id: VendorId,
    #[serde(default)]
    pub name: Patch<String>,
    #[serde(default)]
    pub tags: Patch<Vec<String>>,
    #[serde(default)]
    pub pdf_url: Patch<String>,
    #[serde(default)]
    pub png_url: Patch<String>,
    #[serde(default)]
    pub file_name: Patch<String>,
}

/// `proposal.status_changed`, and the deprecated `proposal.sent` and `proposal.approved`, which
/// carry no `status`.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Proposal {
    #[serde(deserialize_with = "required")]
    pub proposal_id: VendorId,
    #[serde(default)]
    pub project_id: Patch<VendorId>,
    #[serde(default)]
    pub name: Patch<String>,
    #[serde(default)]
    pub status: Patch<String>,
    #[serde(default)]
    pub sales_representative: Patch<String>,
    #[serde(default)]
    pub customer_name: Patch<String>,
    #[serde(default)]
    pub customer_email: Patch<String>,
    /// The customer's address in `proposal.sent` and `proposal.approved`.
    #[serde(default)]
    pub receive_email: Patch<String>,
    #[serde(default)]
    pub total: Patch<Money>,
    #[serde(default)]
    pub approved_option: Patch<ApprovedOption>,
}

/// The option that the customer chose.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct ApprovedOption {
    #[serde(default)]
    pub drawing_id: Patch<VendorId>,
}

/// The deprecated `proposal.signed`. It names no proposal; its subject is the drawing.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct SignedProposal {
    #[serde(deserialize_with = "required")]
    pub drawing_id: VendorId,
    #[serde(default)]
    pub project_id: Patch<VendorId>,
}

/// `proposal.payment.received`.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Payment {
    #[serde(deserialize_with = "required")]
    pub proposal_id: VendorId,
    #[serde(default)]
    pub drawing_id: Patch<VendorId>,
    #[serde(deserialize_with = "required")]
    pub paid_amount: Money,
    #[serde(default)]
    pub pay_channel: Patch<String>,
    #[serde(default)]
    pub payment_method: Patch<String>,
    /// With the channel `arcsite_payment`.
    #[serde(default)]
    pub paid_time: Patch<Time>,
    /// With the channel `mark_as_paid`.
    #[serde(default)]
    pub paid_date: Patch<NaiveDate>,
}

nested_object!(Customer, Address, SalesRep, ApprovedOption);
