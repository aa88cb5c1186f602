//! The `data` of Bidsketch's webhooks, by its API documentation of 2016-12-09. A missing field
//! means unknown: list pages of the API carry fewer fields than the webhooks.

use serde::Deserialize;

use crate::clock::Time;
use crate::domain::{Money, Patch, VendorId};
use crate::vendor::wire::{nested_object, required};

/// `client_created`.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Client {
    #[serde(deserialize_with = "required")]
    pub id: VendorId,
    #[serde(default)]
    pub name: Patch<String>,
    #[serde(default)]
    pub first_name: Patch<String>,
    #[serde(default)]
    pub last_name: Patch<String>,
    #[serde(default)]
    pub email: Patch<String>,
    #[serde(default)]
    pub phone: Patch<String>,
    #[serde(default)]
    pub alt_phone: Patch<String>,
    #[serde(default)]
    pub website: Patch<String>,
    #[serde(default)]
    pub address_field_one: Patch<String>,
    #[serde(default)]
    pub address_field_two: Patch<String>,
    #[serde(default)]
    pub city: Patch<String>,
    #[serde(default)]
    pub state: Patch<String>,
    #[serde(default)]
    pub postal_zip: Patch<String>,
    #[serde(default)]
    pub country: Patch<String>,
    #[serde(default)]
    pub notes: Patch<String>,
    #[serde(default)]
    pub other_contact: Patch<OtherContact>,
    #[serde(default)]
    pub url: Patch<String>,
    #[serde(default)]
    pub app_url: Patch<String>,
    #[serde(default)]
    pub created_at: Patch<Time>,
    #[serde(default)]
    pub updated_at: Patch<Time>,
}

/// Another contact at a client.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct OtherContact {
    #[serde(default)]
    pub first_name: Patch<String>,
    #[serde(default)]
    pub last_name: Patch<String>,
    #[serde(default)]
    pub email: Patch<String>,
    #[serde(default)]
    pub phone: Patch<String>,
}

/// The six `proposal_…` events.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Proposal {
    #[serde(deserialize_with = "required")]
    pub id: VendorId,
    #[serde(default)]
    pub name: Patch<String>,
    #[serde(default)]
    pub description: Patch<String>,
    #[serde(default)]
    pub status: Patch<String>,
    #[serde(default)]
    pub is_draft: Patch<bool>,
    /// The owner's name.
    #[serde(default)]
    pub user: Patch<String>,
    /// ISO 4217.
    #[serde(default)]
    pub currency: Patch<String>,
    #[serde(default)]
    pub tax: Patch<Money>,
    #[serde(default)]
    pub tax2: Patch<Money>,
    /// Negative.
    #[serde(default)]
    pub discount: Patch<Money>,
    #[serde(default)]
    pub monthly_fees: Patch<Money>,
    #[serde(default)]
    pub yearly_fees: Patch<Money>,
    #[serde(default)]
    pub one_time_fees: Patch<Money>,
    #[serde(default)]
    pub total: Patch<Money>,
    #[serde(default)]
    pub client: Patch<ProposalClient>,
    #[serde(default)]
    pub url: Patch<String>,
    #[serde(default)]
    pub app_url: Patch<String>,
    #[serde(default)]
    pub created_at: Patch<Time>,
    #[serde(default)]
    pub updated_at: Patch<Time>,
}

/// The client of a proposal.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct ProposalClient {
    #[serde(default)]
    pub id: Patch<VendorId>,
    #[serde(default)]
    pub name: Patch<String>,
}

nested_object!(OtherContact, ProposalClient);
