//! Deliveries.

use std::borrow::Cow;

use async_graphql::{Context, ID, Object, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::enums::{DeliveryOutcome, Provider, QuarantineReason};
use super::scalar::DateTime;
use super::{Event, event, load};
use crate::domain::NodeId;
use crate::graphql::execution::look_ahead;
use crate::graphql::execution::selection::Selected;
use crate::graphql::loader::EventKey;
use crate::store::read::{DeliveryRow, EventRow};
use crate::store::sql::json_rows::Columns;

pub(crate) struct Delivery(pub(crate) DeliveryRow);

/// The columns that each field of a delivery needs.
pub(crate) fn columns(field: &str) -> Columns {
    match field {
        "vendorType" => DeliveryRow::vendor_type,
        "receivedAt" => DeliveryRow::received_at,
        "quarantineReason" => DeliveryRow::quarantine_reason,
        "detail" => DeliveryRow::detail,
        "body" => DeliveryRow::body | DeliveryRow::event_seq,
        "bodyBase64" => DeliveryRow::body | DeliveryRow::event_seq,
        "event" => DeliveryRow::event_seq,
        _ => Columns::NONE,
    }
}

impl Delivery {
    /// Its bytes: its own, or where it has none, those of its event's body, which are the same.
    async fn body_bytes(&self, ctx: &Context<'_>) -> Result<Cow<'_, [u8]>> {
        if let Some(body) = &self.0.body {
            return Ok(Cow::Borrowed(&body.0));
        }
        let event = match self.0.event_seq {
            Some(seq) => load(ctx, EventKey(seq, EventRow::body)).await?,
            None => None,
        };
        Ok(Cow::Owned(event.map(|event| event.body.clone().into_bytes()).unwrap_or_default()))
    }
}

/// One request of a vendor that was answered 200: it is kept for good.
#[Object]
impl Delivery {
    /// The node id: `delivery:42`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Delivery(self.0.id).to_string().into()
    }

    /// Who sent it.
    async fn provider(&self) -> Provider {
        self.0.provider.into()
    }

    /// The vendor's own name of its event's type, where it could be read.
    async fn vendor_type(&self) -> Option<&str> {
        self.0.vendor_type.as_deref()
    }

    /// When it came.
    async fn received_at(&self) -> DateTime {
        self.0.received_at.into()
    }

    /// What became of it.
    async fn outcome(&self) -> DeliveryOutcome {
        self.0.outcome.into()
    }

    /// Why it is in quarantine.
    async fn quarantine_reason(&self) -> Option<QuarantineReason> {
        self.0.quarantine_reason.map(QuarantineReason::from)
    }

    /// What exactly is wrong with it.
    async fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Its body; invalid UTF-8 is replaced, `bodyBase64` has the exact bytes.
    async fn body(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.body_bytes(ctx).await?).into_owned())
    }

    /// The exact bytes of its body in base64.
    async fn body_base64(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(STANDARD.encode(self.body_bytes(ctx).await?))
    }

    /// The event that it made or repeats.
    async fn event(&self, ctx: &Context<'_>) -> Result<Option<Selected<Event>>> {
        match self.0.event_seq {
            Some(seq) => Ok(load(ctx, EventKey(seq, look_ahead::node_columns(ctx, event::columns)))
                .await?
                .map(|row| Selected(Event::from(row)))),
            None => Ok(None),
        }
    }
}
