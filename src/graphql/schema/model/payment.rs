//! Payments.

use async_graphql::{ID, Object};

use super::scalar::{Date, DateTime, Decimal};
use crate::domain::{Money, NodeId};
use crate::store::read::PaymentRow;
use crate::store::sql::json_rows::Columns;

pub(crate) struct Payment(pub(crate) PaymentRow);

/// The columns that each field of a payment needs.
pub(crate) fn columns(field: &str) -> Columns {
    match field {
        "amount" => PaymentRow::amount,
        "channel" => PaymentRow::channel,
        "method" => PaymentRow::method,
        "paidAt" => PaymentRow::paid_at,
        "paidOn" => PaymentRow::paid_on,
        "receivedAt" => PaymentRow::received_at,
        _ => Columns::NONE,
    }
}

/// A payment on an ArcSite proposal.
#[Object]
impl Payment {
    /// The node id: `payment:42`, by the number of its event.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Payment(self.0.event_seq).to_string().into()
    }

    /// This payment alone, not the sum.
    async fn amount(&self) -> Decimal {
        Decimal(self.0.amount.unwrap_or(Money(0)))
    }

    /// `arcsite_payment` or `mark_as_paid`; empty where the vendor did not say.
    async fn channel(&self) -> &str {
        &self.0.channel
    }

    /// How it was paid, in the vendor's words.
    async fn method(&self) -> Option<&str> {
        self.0.method.as_deref()
    }

    /// When it was paid, where it went through ArcSite.
    async fn paid_at(&self) -> Option<DateTime> {
        self.0.paid_at.map(DateTime::from)
    }

    /// On what day it was paid, where it was marked by hand.
    async fn paid_on(&self) -> Option<Date> {
        self.0.paid_on.map(Date)
    }

    /// When its event came.
    async fn received_at(&self) -> DateTime {
        self.0.received_at.into()
    }
}
