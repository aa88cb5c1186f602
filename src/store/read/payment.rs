//! Payments.

use chrono::NaiveDate;
use entity::payment::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{optional_time, texts, time};
use crate::clock::Time;
use crate::domain::{Money, Seq, VendorId};
use crate::store::StoreError;

/// A payment on an ArcSite proposal.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the API's type")]
pub struct PaymentRow {
    pub event: Seq,
    pub proposal_vendor_id: VendorId,
    pub amount: Money,
    pub channel: String,
    pub method: Option<String>,
    pub paid_at: Option<Time>,
    pub paid_on: Option<NaiveDate>,
    pub received_at: Time,
}

impl TryFrom<Model> for PaymentRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let paid_on = row.paid_on.map(|date| date.parse()).transpose();
        Ok(Self {
            event: Seq(row.event_seq),
            proposal_vendor_id: VendorId::from_stored(row.proposal_vendor_id),
            amount: Money(row.amount),
            channel: row.channel,
            method: row.method,
            paid_at: optional_time(row.paid_at)?,
            paid_on: paid_on.map_err(|error| StoreError::Unreadable(format!("a payment's date: {error}")))?,
            received_at: time(row.received_at)?,
        })
    }
}

fn rows(models: Vec<Model>) -> Result<Vec<PaymentRow>, StoreError> {
    models.into_iter().map(PaymentRow::try_from).collect()
}

/// The payments of the events at these places, in no order.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_events<C: ConnectionTrait>(db: &C, seqs: &[Seq]) -> Result<Vec<PaymentRow>, StoreError> {
    rows(Entity::find().filter(Column::EventSeq.is_in(seqs.iter().map(|seq| seq.0))).all(db).await?)
}

/// All payments on these ArcSite proposals, in the order in which they came.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn of_proposals<C: ConnectionTrait>(db: &C, ids: &[VendorId]) -> Result<Vec<PaymentRow>, StoreError> {
    let payments = Entity::find().filter(Column::ProposalVendorId.is_in(texts(ids)));
    rows(payments.order_by_asc(Column::EventSeq).all(db).await?)
}
