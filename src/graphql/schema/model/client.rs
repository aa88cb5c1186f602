//! Clients.

use async_graphql::{ID, Object, Result};

use super::people::Contact;
use super::scalar::{DateTime, Url};
use super::{optional, parse_nested, read, text};
use crate::domain::{self, NodeId};
use crate::graphql::execution::look_ahead::ShownRow;
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::{EventConnection, ProposalConnection};
use crate::graphql::pagination::load::{Children, load_children};
use crate::store::read::{ClientRow, EventRow, ProposalRow};

pub(crate) struct Client(pub(crate) ClientRow);

impl ShownRow for ClientRow {}

/// The current state of a Bidsketch client. Bidsketch sends an event only when a client is created,
/// so later changes of it do not arrive. A nullable field is null until an event provides it.
#[Object]
impl Client {
    /// Node id, for `node` and `nodes`: `client:4815162342`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Client(self.0.vendor_id.clone()).to_string().into()
    }

    /// Bidsketch's own id, for `Query.client`.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// Name of the company, or full name of the person; empty until an event provides it.
    async fn name(&self) -> Result<&str> {
        Ok(text(&self.0.name)?.unwrap_or_default())
    }

    /// First name of the contact person.
    async fn first_name(&self) -> Result<Option<&str>> {
        text(&self.0.first_name)
    }

    /// Last name of the contact person.
    async fn last_name(&self) -> Result<Option<&str>> {
        text(&self.0.last_name)
    }

    /// E-mail address, as it was typed.
    async fn email(&self) -> Result<Option<&str>> {
        text(&self.0.email)
    }

    /// Telephone number, as it was typed.
    async fn phone(&self) -> Result<Option<&str>> {
        text(&self.0.phone)
    }

    /// Second telephone number, as it was typed.
    async fn alt_phone(&self) -> Result<Option<&str>> {
        text(&self.0.alt_phone)
    }

    /// Address of the website, as it was typed; it may lack `https://`.
    async fn website(&self) -> Result<Option<&str>> {
        text(&self.0.website)
    }

    /// First line of the postal address.
    async fn address_field_one(&self) -> Result<Option<&str>> {
        text(&self.0.address_field_one)
    }

    /// Second line of the postal address.
    async fn address_field_two(&self) -> Result<Option<&str>> {
        text(&self.0.address_field_two)
    }

    /// City, as it was typed.
    async fn city(&self) -> Result<Option<&str>> {
        text(&self.0.city)
    }

    /// State or province as it was typed: "PA".
    async fn state(&self) -> Result<Option<&str>> {
        text(&self.0.state)
    }

    /// Postal code, as it was typed. `Address.zipCode` is the same for ArcSite.
    async fn postal_zip(&self) -> Result<Option<&str>> {
        text(&self.0.postal_zip)
    }

    /// Country as it was typed: "USA".
    async fn country(&self) -> Result<Option<&str>> {
        text(&self.0.country)
    }

    /// Notes that the office keeps on the client at Bidsketch.
    async fn notes(&self) -> Result<Option<&str>> {
        text(&self.0.notes)
    }

    /// A second contact person; null if Bidsketch names none.
    async fn other_contact(&self) -> Result<Option<Selected<Contact>>> {
        Ok(parse_nested::<domain::Contact>(&self.0.other_contact)?.map(|value| Selected(value.into())))
    }

    /// URL of the client in Bidsketch's API, as JSON.
    async fn url(&self) -> Result<Option<Url>> {
        optional(&self.0.url, Url)
    }

    /// URL of the client's page in Bidsketch's web application.
    async fn app_url(&self) -> Result<Option<Url>> {
        optional(&self.0.app_url, Url)
    }

    /// When the client was created at Bidsketch.
    async fn created_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.created_at, DateTime::from)
    }

    /// When the client was last changed at Bidsketch, by the newest event that gives a time.
    async fn updated_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.updated_at, DateTime::from)
    }

    /// When the first event of the client itself arrived. Events of its proposals do not count.
    async fn first_seen_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.first_seen_at)?).into())
    }

    /// When the newest event of the client or its proposals arrived.
    async fn last_event_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.last_event_at)?).into())
    }

    #[graphql(flatten)]
    async fn children(&self) -> Children<'_, ClientRow> {
        Children(&self.0)
    }
}

paged_object! {
    #[Object(name = "ClientChildren")]
    impl Children<'_, ClientRow> {
        /// Proposals for this client; the one with the newest event comes first.
        fn proposals(self, ctx, args) -> ProposalConnection {
            load_children::<ProposalRow>(ctx, self.0, args).await
        }

        /// Events of this client and its proposals, newest first.
        fn events(self, ctx, args) -> EventConnection {
            load_children::<EventRow>(ctx, self.0, args).await
        }
    }
}
