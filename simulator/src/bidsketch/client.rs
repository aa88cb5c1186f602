//! `client_created`.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{API, APP};
use crate::hook::{Hook, Vendor};
use crate::time::ser_with_offset;

/// A client. A field that is `None` is sent as null, except `other_contact`, which is omitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct Client {
    /// An integer that may exceed 2^32.
    pub id: u64,
    pub url: String,
    pub app_url: String,
    #[serde(serialize_with = "ser_with_offset")]
    pub created_at: DateTime<Utc>,
    #[serde(serialize_with = "ser_with_offset")]
    pub updated_at: DateTime<Utc>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// The company's name, or the full name of a person without a company.
    pub name: String,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub alt_phone: Option<String>,
    pub website: Option<String>,
    pub address_field_one: Option<String>,
    pub address_field_two: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_zip: Option<String>,
    pub country: Option<String>,
    pub notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_contact: Option<OtherContact>,
}

/// Another contact at the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct OtherContact {
    pub phone: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
}

impl Client {
    /// Creates a client with only a name.
    pub fn new(id: u64, name: &str, at: DateTime<Utc>) -> Client {
        Client {
            id,
            url: format!("{API}/clients/{id}.json"),
            app_url: format!("{APP}/clients/{id}"),
            created_at: at,
            updated_at: at,
            first_name: None,
            last_name: None,
            name: name.to_owned(),
            phone: None,
            email: None,
            alt_phone: None,
            website: None,
            address_field_one: None,
            address_field_two: None,
            city: None,
            state: None,
            postal_zip: None,
            country: None,
            notes: None,
            other_contact: None,
        }
    }

    /// `client_created`
    pub fn created(&self) -> Hook {
        Hook::new(Vendor::Bidsketch, "client_created", self)
    }
}
