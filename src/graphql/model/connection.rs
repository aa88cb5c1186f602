//! Connections: pages of a list, with the total counted only when asked for.

use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Object, Result};

use super::{Delivery, Event};
use crate::domain::LogId;
use crate::graphql::Api;
use crate::graphql::cursor::{self, CursorKind};
use crate::graphql::error::OrApiError;
use crate::store::read::{self, DeliveryRow, EventRow, Page, delivery, event};

/// A page of events.
pub(crate) type EventConnection = Connection<String, Event, EventTotal>;
/// A page of deliveries.
pub(crate) type DeliveryConnection = Connection<String, Delivery, QuarantineTotal>;

/// Counts the events that a connection is a page of.
pub(crate) struct EventTotal(read::EventFilter);

#[Object]
impl EventTotal {
    /// How many there are in all. Counted when asked for, so leave it out where it is not needed.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        event::count(ctx.data::<Api>()?.store.reader(), &self.0).await.or_api_error()
    }
}

/// Counts the deliveries in quarantine.
pub(crate) struct QuarantineTotal;

#[Object]
impl QuarantineTotal {
    /// How many there are in all. Counted when asked for, so leave it out where it is not needed.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        delivery::count_quarantined(ctx.data::<Api>()?.store.reader()).await.or_api_error()
    }
}

/// A page of the history, newest first.
pub(crate) fn events(log: &LogId, filter: read::EventFilter, page: Page<EventRow>) -> EventConnection {
    let mut connection = Connection::with_additional_fields(page.has_newer, page.has_older, EventTotal(filter));
    connection
        .edges
        .extend(page.rows.into_iter().map(|row| Edge::new(cursor::of_event(log, row.seq), Event::from(row))));
    connection
}

/// A page of the quarantine, newest first.
pub(crate) fn quarantined(log: &LogId, page: Page<DeliveryRow>) -> DeliveryConnection {
    let mut connection = Connection::with_additional_fields(page.has_newer, page.has_older, QuarantineTotal);
    connection.edges.extend(
        page.rows.into_iter().map(|row| Edge::new(cursor::encode(CursorKind::Delivery, log, row.id), Delivery(row))),
    );
    connection
}
