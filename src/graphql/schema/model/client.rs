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

/// The order where none is asked for.
pub(crate) const DEFAULT_ORDER: Sort = Sort { column: "last_event_at", tie_breakers: TIE_BREAKERS, descending: true };
/// What tells clients apart that are equal in an order.
pub(crate) const TIE_BREAKERS: &[&str] = &["vendor_id"];
const CHILD_RELATION: Relation = Relation { column: "client_vendor_id", provider: None };

/// The columns that each field of a client needs.
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
        self.0.name.as_deref().unwrap_or_default()
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
    async fn other_contact(&self) -> Result<Option<Selected<Contact>>> {
        Ok(parse_nested::<domain::Contact>(self.0.other_contact.as_deref())?.map(|value| Selected(value.into())))
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
        self.0.created_at.map(DateTime::from)
    }

    /// When it was last changed at the vendor.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime::from)
    }

    /// When it was first seen: when the first event came that is its own, not only of what hangs under it.
    async fn first_seen_at(&self) -> DateTime {
        self.0.first_seen_at.into()
    }

    /// When the newest event of it or its proposals came.
    async fn last_event_at(&self) -> DateTime {
        self.0.last_event_at.into()
    }

    /// Its proposals, the one with the newest event first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
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

    /// The events of it and its proposals, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
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
