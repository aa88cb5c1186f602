//! The `data` of ArcSite's webhooks, by its documentation of 2026-06-25 and an older page that
//! spells some names differently. Required are the ids that the documentation marks so, the amount
//! of a payment and the status of a status change.

use chrono::NaiveDate;

use crate::clock::Time;
use crate::domain::{AddressChange, CustomerChange, Money, SalesRepChange, VendorId};
use crate::vendor::wire::{List, payload};

payload! {
    /// `project.created`, `project.updated`.
    Project(id: VendorId) {
        name: String,
        job_number: String,
        tags: Vec<String>,
        customer: Customer,
        work_site_address: Address,
        /// The older page's spelling of `work_site_address`.
        work_site_addreess: Address,
        sales_rep: SalesRep,
        /// One sample's spelling of `sales_rep`.
        sale_rep: SalesRep,
        created_at: Time,
        updated_at: Time,
    }
}

payload! {
    /// The customer of a project.
    Customer => CustomerChange {
        name: String,
        phone: String,
        second_phone: String,
        email: String,
        second_email: String,
        address: Address,
    }
}

payload! {
    /// A postal address.
    Address {
        street: String,
        city: String,
        county: String,
        /// One table's spelling of `county`.
        countity: String,
        state: String,
        /// One table's spelling of `state`.
        capital_state as "State": String,
        zip_code: String,
    }
}

impl From<Address> for AddressChange {
    fn from(data: Address) -> Self {
        Self {
            street: data.street,
            city: data.city,
            county: data.county.or(data.countity),
            state: data.state.or(data.capital_state),
            zip_code: data.zip_code,
        }
    }
}

payload! {
    /// The sales representative of a project.
    SalesRep => SalesRepChange {
        name: String,
        email: String,
        phone: String,
    }
}

payload! {
    /// `drawing.created`, `drawing.updated`. The links expire after 24 hours.
    Drawing(id: VendorId, project_id: VendorId) {
        name: String,
        tags: Vec<String>,
        pdf_url: String,
        png_url: String,
        file_name: String,
    }
}

payload! {
    /// `proposal.status_changed`, and the deprecated `proposal.sent` and `proposal.approved`, which
    /// carry no `status`.
    Proposal(proposal_id: VendorId) {
        project_id: VendorId,
        name: String,
        status: String,
        sales_representative: String,
        customer_name: String,
        customer_email: String,
        /// The customer's address in `proposal.sent` and `proposal.approved`.
        receive_email: String,
        total: Money,
        /// The approved proposal as a file. The link expires after 24 hours.
        pdf_url: String,
        approved_option: ProposalOption,
        proposal_options: List<ProposalOption>,
    }
}

payload! {
    /// An option of a proposal, such as the one that the customer chose. The link expires after 24
    /// hours.
    ProposalOption {
        name: String,
        drawing_id: VendorId,
        pdf_url: String,
    }
}

payload! {
    /// The deprecated `proposal.signed`. It names no proposal; its subject is the drawing.
    SignedProposal(drawing_id: VendorId) {
        project_id: VendorId,
        name: String,
        /// The signed proposal as a file. The link expires after 24 hours.
        url: String,
    }
}

payload! {
    /// `proposal.payment.received`.
    Payment(proposal_id: VendorId, paid_amount: Money) {
        drawing_id: VendorId,
        pay_channel: String,
        payment_method: String,
        /// With the channel `arcsite_payment`.
        paid_time: Time,
        /// With the channel `mark_as_paid`.
        paid_date: NaiveDate,
    }
}
