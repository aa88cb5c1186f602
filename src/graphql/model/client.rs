//! Clients.

use async_graphql::{ID, Object};

use super::people::Contact;
use super::scalar::{DateTime, Url};
use crate::domain::NodeId;
use crate::store::read::ClientRow;

pub(crate) struct Client(pub(crate) ClientRow);

/// A Bidsketch client as it is now.
#[Object]
impl Client {
    /// The node id: `client:4815162342`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Client(self.0.vendor_id.clone()).to_string().into()
    }

    /// Bidsketch's own id.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// The company's or the person's full name; empty while it is not known.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// First name.
    async fn first_name(&self) -> Option<&str> {
        self.0.first_name.as_deref()
    }

    /// Last name.
    async fn last_name(&self) -> Option<&str> {
        self.0.last_name.as_deref()
    }

    /// E-mail address.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Telephone number.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Other telephone number.
    async fn alt_phone(&self) -> Option<&str> {
        self.0.alt_phone.as_deref()
    }

    /// Web site, as it was typed.
    async fn website(&self) -> Option<&str> {
        self.0.website.as_deref()
    }

    /// First line of the address.
    async fn address_field_one(&self) -> Option<&str> {
        self.0.address_field_one.as_deref()
    }

    /// Second line of the address.
    async fn address_field_two(&self) -> Option<&str> {
        self.0.address_field_two.as_deref()
    }

    /// City.
    async fn city(&self) -> Option<&str> {
        self.0.city.as_deref()
    }

    /// State.
    async fn state(&self) -> Option<&str> {
        self.0.state.as_deref()
    }

    /// Postal code.
    async fn postal_zip(&self) -> Option<&str> {
        self.0.postal_zip.as_deref()
    }

    /// Country.
    async fn country(&self) -> Option<&str> {
        self.0.country.as_deref()
    }

    /// The office's notes.
    async fn notes(&self) -> Option<&str> {
        self.0.notes.as_deref()
    }

    /// Whom else to ask.
    async fn other_contact(&self) -> Option<Contact> {
        self.0.other_contact.clone().map(Contact::from)
    }

    /// The client in Bidsketch's API.
    async fn url(&self) -> Option<Url> {
        self.0.url.clone().map(Url)
    }

    /// The client in Bidsketch's pages.
    async fn app_url(&self) -> Option<Url> {
        self.0.app_url.clone().map(Url)
    }

    /// When it was created at the vendor.
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime)
    }

    /// When it was last changed at the vendor.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime)
    }

    /// When the first event of it came.
    async fn first_seen_at(&self) -> DateTime {
        DateTime(self.0.first_seen_at)
    }

    /// When the newest event of it or its proposals came.
    async fn last_event_at(&self) -> DateTime {
        DateTime(self.0.last_event_at)
    }
}
