//! Payments. Each payment event adds one, which never changes. A payment may arrive before its
//! proposal.

use entity::payment::Model;

use crate::domain::{NewPayment, VendorId};
use crate::store::log::Entry;
use crate::store::sql::convert::to_micros;

pub(super) fn new_row(entry: &Entry<'_>, payment: NewPayment) -> Model {
    Model {
        event_seq: entry.seq.0,
        proposal_vendor_id: payment.proposal.into_string(),
        drawing_vendor_id: payment.drawing.map(VendorId::into_string),
        amount: payment.amount.0,
        channel: payment.channel,
        method: payment.method,
        paid_at: payment.paid_at.map(to_micros),
        paid_on: payment.paid_on.map(|date| date.to_string()),
        received_at: to_micros(entry.received_at),
    }
}
