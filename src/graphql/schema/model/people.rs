//! The nested values of projects and clients.

use async_graphql::SimpleObject;

use crate::domain;
use crate::graphql::execution::selection::Selected;

/// Whom a project is for.
#[derive(SimpleObject)]
pub(crate) struct Customer {
    /// Name of the person or company.
    name: Option<String>,
    /// First telephone number.
    phone: Option<String>,
    /// Second telephone number.
    second_phone: Option<String>,
    /// First e-mail address.
    email: Option<String>,
    /// Second e-mail address.
    second_email: Option<String>,
    /// Postal address.
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

/// A postal address.
#[derive(SimpleObject)]
pub(crate) struct Address {
    /// Street and number.
    street: Option<String>,
    /// City.
    city: Option<String>,
    /// County.
    county: Option<String>,
    /// State.
    state: Option<String>,
    /// Postal code.
    zip_code: Option<String>,
}

impl From<domain::Address> for Address {
    fn from(address: domain::Address) -> Self {
        let domain::Address { street, city, county, state, zip_code } = address;
        Self { street, city, county, state, zip_code }
    }
}

/// Who sells a project.
#[derive(SimpleObject)]
pub(crate) struct SalesRep {
    /// Name.
    name: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Telephone number.
    phone: Option<String>,
}

impl From<domain::SalesRep> for SalesRep {
    fn from(sales_rep: domain::SalesRep) -> Self {
        let domain::SalesRep { name, email, phone } = sales_rep;
        Self { name, email, phone }
    }
}

/// A client's other contact.
#[derive(SimpleObject)]
pub(crate) struct Contact {
    /// First name.
    first_name: Option<String>,
    /// Last name.
    last_name: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Telephone number.
    phone: Option<String>,
}

impl From<domain::Contact> for Contact {
    fn from(contact: domain::Contact) -> Self {
        let domain::Contact { first_name, last_name, email, phone } = contact;
        Self { first_name, last_name, email, phone }
    }
}
