//! Payments.

use async_graphql::{ID, Object};

use super::scalar::{Date, DateTime, Decimal};
use crate::domain::{Money, NodeId};
use crate::store::read::PaymentRow;
use crate::store::sql::json_rows::Columns;

pub(crate) struct Payment(pub(crate) PaymentRow);

/// The columns that a field of a payment needs.
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

/// A payment on an ArcSite proposal. Bidsketch reports no payments.
#[Object]
impl Payment {
    /// Node id, for `node` and `nodes`: `payment:42`, with the number of its event `event:42`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Payment(self.0.event_seq).to_string().into()
    }

    /// The amount of this payment alone, in the proposal's currency, which ArcSite does not name.
    /// `Proposal.paidTotal` has the sum.
    async fn amount(&self) -> Decimal {
        Decimal(self.0.amount.unwrap_or(Money(0)))
    }

    /// `arcsite_payment` for a payment through ArcSite, `mark_as_paid` for one that the office
    /// marked by hand; empty if ArcSite did not say.
    async fn channel(&self) -> &str {
        &self.0.channel
    }

    /// The payment method in ArcSite's own words; null if it names none.
    async fn method(&self) -> Option<&str> {
        self.0.method.as_deref()
    }

    /// When it was paid through ArcSite; null for one marked by hand, which has `paidOn`.
    async fn paid_at(&self) -> Option<DateTime> {
        self.0.paid_at.map(DateTime::from)
    }

    /// The day on which it was paid, as the office marked it; null for a payment through ArcSite,
    /// which has `paidAt`.
    async fn paid_on(&self) -> Option<Date> {
        self.0.paid_on.map(Date)
    }

    /// When the payment's event arrived.
    async fn received_at(&self) -> DateTime {
        self.0.received_at.into()
    }
}
