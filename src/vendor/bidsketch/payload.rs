//! The `data` of Bidsketch's webhooks, by its API documentation of 2016-12-09. A missing field
//! means unknown: list pages of the API carry fewer fields than the webhooks.

use crate::clock::Time;
use crate::domain::{ClientChange, ContactChange, Money, VendorId};
use crate::vendor::wire::payload;

payload! {
    /// `client_created`.
    Client(id: VendorId) => ClientChange {
        name: String,
        first_name: String,
        last_name: String,
        email: String,
        phone: String,
        alt_phone: String,
        website: String,
        address_field_one: String,
        address_field_two: String,
        city: String,
        state: String,
        postal_zip: String,
        country: String,
        notes: String,
        other_contact: OtherContact,
        url: String,
        app_url: String,
        created_at: Time,
        updated_at: Time,
    }
}

payload! {
    /// Another contact at a client.
    OtherContact => ContactChange {
        first_name: String,
        last_name: String,
        email: String,
        phone: String,
    }
}

payload! {
    /// The six `proposal_…` events.
    Proposal(id: VendorId) {
        name: String,
        description: String,
        status: String,
        is_draft: bool,
        /// The owner's name.
        user: String,
        /// ISO 4217.
        currency: String,
        tax: Money,
        tax2: Money,
        /// Negative.
        discount: Money,
        monthly_fees: Money,
        yearly_fees: Money,
        one_time_fees: Money,
        total: Money,
        client: ProposalClient,
        url: String,
        app_url: String,
        created_at: Time,
        updated_at: Time,
    }
}

payload! {
    /// The client of a proposal.
    ProposalClient {
        id: VendorId,
        name: String,
    }
}
