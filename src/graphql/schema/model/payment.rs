//! Payments.

use async_graphql::{Context, ID, Object, Result};

use super::scalar::{Date, DateTime, Decimal};
use super::{Proposal, load_proposal, optional, read, text};
use crate::domain::{NodeId, Provider};
use crate::graphql::execution::look_ahead::ShownRow;
use crate::graphql::execution::selection::Selected;
use crate::store::read::PaymentRow;
use crate::store::sql::json_rows::Columns;

pub(crate) struct Payment(pub(crate) PaymentRow);

impl ShownRow for PaymentRow {
    const OTHER_COLUMNS: &'static [(&'static str, Columns)] = &[("proposal", PaymentRow::proposal_vendor_id)];
}

/// A payment on an ArcSite proposal. Bidsketch reports no payments.
#[Object]
impl Payment {
    /// Node id, for `node` and `nodes`: `payment:42`, with the number of its event `event:42`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Payment(self.0.event_seq).to_string().into()
    }

    /// The proposal that was paid; null until an event of the proposal itself has arrived. Its id
    /// is in `proposalVendorId`.
    async fn proposal(&self, ctx: &Context<'_>) -> Result<Option<Selected<Proposal>>> {
        let id = read(&self.0.proposal_vendor_id)?;
        Ok(load_proposal(ctx, Provider::Arcsite, Some(id)).await?.map(|row| Selected(Proposal(row))))
    }

    /// ArcSite's own id of the proposal that was paid.
    async fn proposal_vendor_id(&self) -> Result<&str> {
        Ok(read(&self.0.proposal_vendor_id)?.as_str())
    }

    /// The amount of this payment alone, in the proposal's currency, which ArcSite does not name.
    /// `Proposal.paidTotal` has the sum.
    async fn amount(&self) -> Result<Decimal> {
        Ok(Decimal(*read(&self.0.amount)?))
    }

    /// How ArcSite learned of it: `arcsite_payment` for a payment through ArcSite, which has
    /// `paidAt`; `mark_as_paid` for one that the office marked by hand, which has `paidOn`. Empty
    /// if ArcSite did not say.
    async fn channel(&self) -> Result<&str> {
        read(&self.0.channel).map(String::as_str)
    }

    /// The payment method in ArcSite's own words; null if it names none.
    async fn method(&self) -> Result<Option<&str>> {
        text(&self.0.method)
    }

    /// When it was paid through ArcSite; null for one marked by hand, which has `paidOn`.
    async fn paid_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.paid_at, DateTime::from)
    }

    /// The day on which it was paid, as the office marked it; null for a payment through ArcSite,
    /// which has `paidAt`.
    async fn paid_on(&self) -> Result<Option<Date>> {
        optional(&self.0.paid_on, Date)
    }

    /// When the payment's event arrived.
    async fn received_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.received_at)?).into())
    }
}
