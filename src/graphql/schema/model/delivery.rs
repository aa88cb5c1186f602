//! Deliveries.

use std::borrow::Cow;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::enums::{DeliveryOutcome, Provider, QuarantineReason};
use super::scalar::DateTime;
use super::{Event, load, optional, parse_nested, read, text};
use crate::domain::{self, NodeId};
use crate::graphql::execution::look_ahead::{ShownRow, node_columns};
use crate::graphql::execution::selection::Selected;
use crate::graphql::loader::{DeliveryKey, EventKey};
use crate::store::read::{DeliveryRow, EventRow};
use crate::store::sql::json_rows::Columns;
use crate::vendor::content;

pub(crate) struct Delivery(pub(crate) DeliveryRow);

impl ShownRow for DeliveryRow {
    const OTHER_COLUMNS: &'static [(&'static str, Columns)] = &[
        ("body", DeliveryRow::event_seq),
        ("body", DeliveryRow::headers),
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

    fn stored_headers(&self) -> Result<Vec<domain::Header>> {
        Ok(parse_nested(&self.0.headers)?.unwrap_or_default())
    }
}

/// A header of a delivery.
#[derive(SimpleObject)]
pub(crate) struct Header {
    /// The name, in lower case: `content-type`.
    name: String,
    /// The value, at most its first 500 characters. A repeated header is one with its values joined
    /// by commas.
    value: String,
}

impl From<domain::Header> for Header {
    fn from(domain::Header { name, value }: domain::Header) -> Self {
        Self { name, value }
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

    /// The exact fault that quarantined it, or the optional fields of its payload that could not be
    /// read and are left out, for people; null if there is neither.
    async fn detail(&self) -> Result<Option<&str>> {
        text(&self.0.detail)
    }

    /// Its body as text, unpacked and decoded. Of a body that has no text, the bytes that are not
    /// UTF-8 are replaced by U+FFFD; `bodyBase64` has the exact bytes.
    async fn body(&self, ctx: &Context<'_>) -> Result<String> {
        let bytes = self.body_bytes(ctx).await?;
        let decoded = content::decode(&self.stored_headers()?, &bytes).map(Cow::into_owned);
        Ok(decoded.unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The exact bytes of its body as they were sent, in base64.
    async fn body_base64(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(STANDARD.encode(self.body_bytes(ctx).await?))
    }

    /// How many bytes its body has as it was sent.
    async fn size_bytes(&self, ctx: &Context<'_>) -> Result<i32> {
        if let Some(size) = *read(&self.0.size_bytes)? {
            return Ok(i32::try_from(size).unwrap_or(i32::MAX));
        }
        // An earlier version stored it.
        let columns = DeliveryRow::body | DeliveryRow::event_seq;
        let length = match load(ctx, DeliveryKey(self.0.id, columns)).await? {
            Some(row) => Self(row).body_bytes(ctx).await?.len(),
            None => 0,
        };
        Ok(i32::try_from(length).unwrap_or(i32::MAX))
    }

    /// The headers that say how to read the body and who sent it: `content-type`,
    /// `content-encoding`, `user-agent` and the vendor's own, such as `arcsite-signature`. Empty if
    /// an earlier version stored it.
    async fn headers(&self) -> Result<Vec<Selected<Header>>> {
        Ok(self.stored_headers()?.into_iter().map(|header| Selected(header.into())).collect())
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
