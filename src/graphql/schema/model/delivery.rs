//! Deliveries.

use std::borrow::Cow;

use async_graphql::{Context, ID, Object, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::enums::{DeliveryOutcome, Provider, QuarantineReason};
use super::scalar::DateTime;
use super::{Event, load, optional, read, text};
use crate::domain::NodeId;
use crate::graphql::execution::look_ahead::{ShownRow, node_columns};
use crate::graphql::execution::selection::Selected;
use crate::graphql::loader::EventKey;
use crate::store::read::{DeliveryRow, EventRow};
use crate::store::sql::json_rows::Columns;

pub(crate) struct Delivery(pub(crate) DeliveryRow);

impl ShownRow for DeliveryRow {
    const OTHER_COLUMNS: &'static [(&'static str, Columns)] = &[
        ("body", DeliveryRow::event_seq),
        ("bodyBase64", DeliveryRow::body),
        ("bodyBase64", DeliveryRow::event_seq),
        ("event", DeliveryRow::event_seq),
    ];
}

impl Delivery {
    /// The bytes of the body. A delivery whose body equals that of its event stores none of its
    /// own.
    async fn body_bytes(&self, ctx: &Context<'_>) -> Result<Cow<'_, [u8]>> {
        if let Some(body) = read(&self.0.body)? {
            return Ok(Cow::Borrowed(&body.0));
        }
        let event = match *read(&self.0.event_seq)? {
            Some(seq) => load(ctx, EventKey(seq, EventRow::body)).await?,
            None => None,
        };
        event.map_or(Ok(Cow::default()), |event| Ok(Cow::Owned(read(&event.body)?.clone().into_bytes())))
    }
}

/// One POST of a vendor to a hook URL that was answered 200. It is kept forever.
#[Object]
impl Delivery {
    /// Node id, for `node` and `nodes`: `delivery:42`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Delivery(self.0.id).to_string().into()
    }

    /// The vendor that sent it.
    async fn provider(&self) -> Provider {
        self.0.provider.into()
    }

    /// The vendor's own name of the event type: `proposal.status_changed`; null if it could not be
    /// read from the body.
    async fn vendor_type(&self) -> Result<Option<&str>> {
        text(&self.0.vendor_type)
    }

    /// When it arrived.
    async fn received_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.received_at)?).into())
    }

    /// The result: a new event, a redelivery, or quarantine.
    async fn outcome(&self) -> DeliveryOutcome {
        self.0.outcome.into()
    }

    /// Why it was quarantined; null if it never was. A release does not clear it.
    async fn quarantine_reason(&self) -> Result<Option<QuarantineReason>> {
        optional(&self.0.quarantine_reason, QuarantineReason::from)
    }

    /// The exact fault that quarantined it, for people; null if it never was quarantined.
    async fn detail(&self) -> Result<Option<&str>> {
        text(&self.0.detail)
    }

    /// Its body as text. Bytes that are not UTF-8 are replaced by U+FFFD; `bodyBase64` has the
    /// exact bytes.
    async fn body(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.body_bytes(ctx).await?).into_owned())
    }

    /// The exact bytes of its body, in base64.
    async fn body_base64(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(STANDARD.encode(self.body_bytes(ctx).await?))
    }

    /// The event that it created or repeats; null while it is in quarantine.
    async fn event(&self, ctx: &Context<'_>) -> Result<Option<Selected<Event>>> {
        match *read(&self.0.event_seq)? {
            Some(seq) => {
                Ok(load(ctx, EventKey(seq, node_columns::<EventRow>(ctx))).await?.map(|row| Selected(Event::from(row))))
            }
            None => Ok(None),
        }
    }
}
