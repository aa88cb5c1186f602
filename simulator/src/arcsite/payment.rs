//! `proposal.payment.received`, in both channels.

use chrono::{DateTime, NaiveDate, Utc};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::hook::{Hook, Vendor};
use crate::id::Id;
use crate::money::{Money, two_decimals};
use crate::time::{bare_date, zone_less};

/// One payment. Two equal payments marked by hand on one day have identical bodies: the vendor
/// sends nothing to tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The proposal that was paid.
    pub proposal_id: Id,
    /// Its drawing.
    pub drawing_id: Id,
    /// The amount of this payment, not the sum; always with two decimals.
    #[serde(serialize_with = "two_decimals")]
    pub paid_amount: Money,
    /// The channel, with the time of the payment.
    #[serde(flatten)]
    pub channel: Channel,
    /// `Credit Card`, `Check`, …
    pub payment_method: String,
}

/// The channel of a payment. The two channels carry the time in different fields and precisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Paid through ArcSite: `pay_channel` `arcsite_payment`, with a `paid_time`.
    ArcsitePayment(DateTime<Utc>),
    /// Marked by hand: `pay_channel` `mark_as_paid`, with a `paid_date` that is a bare date.
    MarkAsPaid(NaiveDate),
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_map(Some(2))?;
        match self {
            Channel::ArcsitePayment(at) => {
                fields.serialize_entry("pay_channel", "arcsite_payment")?;
                fields.serialize_entry("paid_time", &zone_less(*at))?;
            }
            Channel::MarkAsPaid(date) => {
                fields.serialize_entry("pay_channel", "mark_as_paid")?;
                fields.serialize_entry("paid_date", &bare_date(*date))?;
            }
        }
        fields.end()
    }
}

impl Payment {
    /// `proposal.payment.received`
    pub fn received(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "proposal.payment.received", self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_channel_determines_the_time_field() {
        let at = DateTime::from_timestamp(1_642_306_763, 0).unwrap();
        let mut payment = Payment {
            proposal_id: 36_029_621_652_695_040.into(),
            drawing_id: 2.into(),
            paid_amount: Money::whole(1_250),
            channel: Channel::ArcsitePayment(at),
            payment_method: "ACH".to_owned(),
        };
        let body = payment.received().body;
        assert!(
            body.contains(r#""paid_amount":1250.00,"pay_channel":"arcsite_payment","paid_time":"2022-01-16T04:19:23""#),
            "{body}"
        );
        payment.channel = Channel::MarkAsPaid(at.date_naive());
        let body = payment.received().body;
        assert!(body.contains(r#""pay_channel":"mark_as_paid","paid_date":"2022-01-16""#), "{body}");
    }
}
