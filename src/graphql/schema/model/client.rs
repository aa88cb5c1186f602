//! Clients.

use async_graphql::{Context, ID, Object, Result};

use super::people::Contact;
use super::scalar::{DateTime, Url};
use super::{event, parse_nested, proposal};
use crate::domain::{self, NodeId};
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::{PageArgs, page_cost};
use crate::graphql::pagination::connection::{EventConnection, ProposalConnection, load_child_connection};
use crate::store::read::relation::Relation;
use crate::store::read::{ClientRow, EventRow, LOG_ORDER, ProposalRow, Sort};
use crate::store::sql::json_rows::Columns;

pub(crate) struct Client(pub(crate) ClientRow);

/// The default order: the newest event first.
pub(crate) const DEFAULT_ORDER: Sort = Sort { column: "last_event_at", tie_breakers: TIE_BREAKERS, descending: true };
/// The columns that order clients with equal sort values.
pub(crate) const TIE_BREAKERS: &[&str] = &["vendor_id"];
const CHILD_RELATION: Relation = Relation { column: "client_vendor_id", provider: None };

/// The columns that a field of a client needs.
pub(crate) fn columns(field: &str) -> Columns {
    match field {
        "name" => ClientRow::name,
        "firstName" => ClientRow::first_name,
        "lastName" => ClientRow::last_name,
        "email" => ClientRow::email,
        "phone" => ClientRow::phone,
        "altPhone" => ClientRow::alt_phone,
        "website" => ClientRow::website,
        "addressFieldOne" => ClientRow::address_field_one,
        "addressFieldTwo" => ClientRow::address_field_two,
        "city" => ClientRow::city,
        "state" => ClientRow::state,
        "postalZip" => ClientRow::postal_zip,
        "country" => ClientRow::country,
        "notes" => ClientRow::notes,
        "otherContact" => ClientRow::other_contact,
        "url" => ClientRow::url,
        "appUrl" => ClientRow::app_url,
        "createdAt" => ClientRow::created_at,
        "updatedAt" => ClientRow::updated_at,
        "firstSeenAt" => ClientRow::first_seen_at,
        "lastEventAt" => ClientRow::last_event_at,
        _ => Columns::NONE,
    }
}

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
    async fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }

    /// First name of the contact person.
    async fn first_name(&self) -> Option<&str> {
        self.0.first_name.as_deref()
    }

    /// Last name of the contact person.
    async fn last_name(&self) -> Option<&str> {
        self.0.last_name.as_deref()
    }

    /// E-mail address, as it was typed.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Telephone number, as it was typed.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Second telephone number, as it was typed.
    async fn alt_phone(&self) -> Option<&str> {
        self.0.alt_phone.as_deref()
    }

    /// Address of the website, as it was typed; it may lack `https://`.
    async fn website(&self) -> Option<&str> {
        self.0.website.as_deref()
    }

    /// First line of the postal address.
    async fn address_field_one(&self) -> Option<&str> {
        self.0.address_field_one.as_deref()
    }

    /// Second line of the postal address.
    async fn address_field_two(&self) -> Option<&str> {
        self.0.address_field_two.as_deref()
    }

    /// City, as it was typed.
    async fn city(&self) -> Option<&str> {
        self.0.city.as_deref()
    }

    /// State or province as it was typed: "PA".
    async fn state(&self) -> Option<&str> {
        self.0.state.as_deref()
    }

    /// Postal code, as it was typed. `Address.zipCode` is the same for ArcSite.
    async fn postal_zip(&self) -> Option<&str> {
        self.0.postal_zip.as_deref()
    }

    /// Country as it was typed: "USA".
    async fn country(&self) -> Option<&str> {
        self.0.country.as_deref()
    }

    /// Notes that the office keeps on the client at Bidsketch.
    async fn notes(&self) -> Option<&str> {
        self.0.notes.as_deref()
    }

    /// A second contact person; null if Bidsketch names none.
    async fn other_contact(&self) -> Result<Option<Selected<Contact>>> {
        Ok(parse_nested::<domain::Contact>(self.0.other_contact.as_deref())?.map(|value| Selected(value.into())))
    }

    /// URL of the client in Bidsketch's API, as JSON.
    async fn url(&self) -> Option<Url> {
        self.0.url.clone().map(Url)
    }

    /// URL of the client's page in Bidsketch's web application.
    async fn app_url(&self) -> Option<Url> {
        self.0.app_url.clone().map(Url)
    }

    /// When the client was created at Bidsketch.
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime::from)
    }

    /// When the client was last changed at Bidsketch, by the newest event that gives a time.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime::from)
    }

    /// When the first event of the client itself arrived. Events of its proposals do not count.
    async fn first_seen_at(&self) -> DateTime {
        self.0.first_seen_at.into()
    }

    /// When the newest event of the client or its proposals arrived.
    async fn last_event_at(&self) -> DateTime {
        self.0.last_event_at.into()
    }

    /// Proposals for this client; the one with the newest event comes first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Result<ProposalConnection> {
        let args = PageArgs { first, after, last, before };
        load_child_connection::<ProposalRow>(
            ctx,
            self.0.vendor_id.clone(),
            CHILD_RELATION,
            proposal::DEFAULT_ORDER,
            args,
            proposal::columns,
        )
        .await
    }

    /// Events of this client and its proposals, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Result<EventConnection> {
        let args = PageArgs { first, after, last, before };
        load_child_connection::<EventRow>(
            ctx,
            self.0.vendor_id.clone(),
            CHILD_RELATION,
            LOG_ORDER,
            args,
            event::columns,
        )
        .await
    }
}
