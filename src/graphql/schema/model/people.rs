//! The nested values of projects and clients.

use async_graphql::SimpleObject;

use crate::domain;
use crate::graphql::execution::selection::Selected;

/// The customer of an ArcSite project, as typed at ArcSite. It has no id of its own and is not
/// linked to a `Client`. A field is null if it was left out.
#[derive(SimpleObject)]
pub(crate) struct Customer {
    /// Name of the person or company.
    name: Option<String>,
    /// First telephone number, as it was typed.
    phone: Option<String>,
    /// Second telephone number, as it was typed.
    second_phone: Option<String>,
    /// First e-mail address, as it was typed.
    email: Option<String>,
    /// Second e-mail address, as it was typed.
    second_email: Option<String>,
    /// Postal address of the customer; the work site may be another.
    address: Option<Selected<Address>>,
}

impl From<domain::Customer> for Customer {
    fn from(customer: domain::Customer) -> Self {
        let domain::Customer { name, phone, second_phone, email, second_email, address } = customer;
        Self {
            name,
            phone,
            second_phone,
            email,
            second_email,
            address: address.map(|address| Selected(address.into())),
        }
    }
}

/// A postal address, as typed at ArcSite. A field is null if it was left out.
#[derive(SimpleObject)]
pub(crate) struct Address {
    /// Street and number.
    street: Option<String>,
    /// City, as it was typed.
    city: Option<String>,
    /// County, as it was typed.
    county: Option<String>,
    /// State or province as it was typed: "PA".
    state: Option<String>,
    /// Postal code, as it was typed. `Client.postalZip` is the same for Bidsketch.
    zip_code: Option<String>,
}

impl From<domain::Address> for Address {
    fn from(address: domain::Address) -> Self {
        let domain::Address { street, city, county, state, zip_code } = address;
        Self { street, city, county, state, zip_code }
    }
}

/// The sales representative of an ArcSite project. A field is null if it was left out.
#[derive(SimpleObject)]
pub(crate) struct SalesRep {
    /// Full name.
    name: Option<String>,
    /// E-mail address, as it was typed.
    email: Option<String>,
    /// Telephone number, as it was typed.
    phone: Option<String>,
}

impl From<domain::SalesRep> for SalesRep {
    fn from(sales_rep: domain::SalesRep) -> Self {
        let domain::SalesRep { name, email, phone } = sales_rep;
        Self { name, email, phone }
    }
}

/// The second contact person of a Bidsketch client. A field is null if it was left out.
#[derive(SimpleObject)]
pub(crate) struct Contact {
    /// First name of the person.
    first_name: Option<String>,
    /// Last name of the person.
    last_name: Option<String>,
    /// E-mail address, as it was typed.
    email: Option<String>,
    /// Telephone number, as it was typed.
    phone: Option<String>,
}

impl From<domain::Contact> for Contact {
    fn from(contact: domain::Contact) -> Self {
        let domain::Contact { first_name, last_name, email, phone } = contact;
        Self { first_name, last_name, email, phone }
    }
}
