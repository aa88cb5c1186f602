//! Proposals.

use async_graphql::{Context, ID, Object, Result};

use super::enums::{ProposalStatus, Provider};
use super::scalar::{DateTime, Decimal, Url};
use super::{Client, Payment, Project, load};
use crate::domain::{self, Money, NodeId, VendorId};
use crate::graphql::loader::{ClientKey, PaymentsOf, ProjectKey};
use crate::store::read::{PaymentRow, ProposalRow};

pub(crate) struct Proposal(pub(crate) ProposalRow);

impl Proposal {
    async fn payment_rows(&self, ctx: &Context<'_>) -> Result<Vec<PaymentRow>> {
        match self.0.provider {
            domain::Provider::Arcsite => Ok(load(ctx, PaymentsOf(self.0.vendor_id.clone())).await?.unwrap_or_default()),
            domain::Provider::Bidsketch => Ok(Vec::new()),
        }
    }
}

/// A proposal of either vendor as it is now.
#[Object]
impl Proposal {
    /// The node id: `proposal:bidsketch:11051955`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Proposal(self.0.provider, self.0.vendor_id.clone()).to_string().into()
    }

    /// Whose proposal it is.
    async fn provider(&self) -> Provider {
        self.0.provider.into()
    }

    /// The vendor's own id, every digit of it.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// Its name; empty while it is not known.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is about (Bidsketch).
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// How far it has come; null while that is not known, or for a vendor's word that is not documented.
    async fn status(&self) -> Option<ProposalStatus> {
        self.0.status.map(ProposalStatus::from)
    }

    /// The vendor's own word for its status.
    async fn vendor_status(&self) -> Option<&str> {
        self.0.vendor_status.as_deref()
    }

    /// Whether it is a draft (Bidsketch).
    async fn is_draft(&self) -> Option<bool> {
        self.0.is_draft
    }

    /// Who made it: the owner (Bidsketch) or the sales representative (ArcSite).
    async fn owner(&self) -> Option<&str> {
        self.0.owner.as_deref()
    }

    /// Currency of its amounts, ISO 4217 (Bidsketch).
    async fn currency(&self) -> Option<&str> {
        self.0.currency.as_deref()
    }

    /// Its total.
    async fn total(&self) -> Option<Decimal> {
        self.0.total.map(Decimal)
    }

    /// Fees that are due once (Bidsketch).
    async fn one_time_fees(&self) -> Option<Decimal> {
        self.0.one_time_fees.map(Decimal)
    }

    /// Fees that are due each month (Bidsketch).
    async fn monthly_fees(&self) -> Option<Decimal> {
        self.0.monthly_fees.map(Decimal)
    }

    /// Fees that are due each year (Bidsketch).
    async fn yearly_fees(&self) -> Option<Decimal> {
        self.0.yearly_fees.map(Decimal)
    }

    /// First tax, an amount (Bidsketch).
    async fn tax(&self) -> Option<Decimal> {
        self.0.tax.map(Decimal)
    }

    /// Second tax, an amount (Bidsketch).
    async fn tax2(&self) -> Option<Decimal> {
        self.0.tax2.map(Decimal)
    }

    /// Discount, a negative amount (Bidsketch).
    async fn discount(&self) -> Option<Decimal> {
        self.0.discount.map(Decimal)
    }

    /// The name of whom it is for.
    async fn customer_name(&self) -> Option<&str> {
        self.0.customer_name.as_deref()
    }

    /// The e-mail address of whom it is for: for Bidsketch the client's, once the client has been seen.
    async fn customer_email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match (&self.0.customer_email, self.0.client_vendor_id.clone()) {
            (Some(email), _) => Ok(Some(email.clone())),
            (None, Some(id)) => Ok(load(ctx, ClientKey(id)).await?.and_then(|client| client.email)),
            (None, None) => Ok(None),
        }
    }

    /// Its client (Bidsketch); null until the client itself has been seen.
    async fn client(&self, ctx: &Context<'_>) -> Result<Option<Client>> {
        match self.0.client_vendor_id.clone() {
            Some(id) => Ok(load(ctx, ClientKey(id)).await?.map(Client)),
            None => Ok(None),
        }
    }

    /// Bidsketch's own id of its client.
    async fn client_vendor_id(&self) -> Option<&str> {
        self.0.client_vendor_id.as_ref().map(VendorId::as_str)
    }

    /// Its project (ArcSite); null until the project itself has been seen.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Project>> {
        match self.0.project_vendor_id.clone() {
            Some(id) => Ok(load(ctx, ProjectKey(id)).await?.map(Project)),
            None => Ok(None),
        }
    }

    /// ArcSite's own id of its project.
    async fn project_vendor_id(&self) -> Option<&str> {
        self.0.project_vendor_id.as_ref().map(VendorId::as_str)
    }

    /// The payments on it (ArcSite), in the order in which they came.
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Payment>> {
        Ok(self.payment_rows(ctx).await?.into_iter().map(Payment).collect())
    }

    /// The sum of its payments; null for Bidsketch, which sends none.
    async fn paid_total(&self, ctx: &Context<'_>) -> Result<Option<Decimal>> {
        if self.0.provider == domain::Provider::Bidsketch {
            return Ok(None);
        }
        let payments = self.payment_rows(ctx).await?;
        let sum = payments.iter().try_fold(0_i64, |sum, payment| sum.checked_add(payment.amount.0));
        Ok(sum.map(|sum| Decimal(Money(sum))))
    }

    /// The proposal in the vendor's API (Bidsketch).
    async fn url(&self) -> Option<Url> {
        self.0.url.clone().map(Url)
    }

    /// The proposal in the vendor's pages (Bidsketch).
    async fn app_url(&self) -> Option<Url> {
        self.0.app_url.clone().map(Url)
    }

    /// When it was created at the vendor (Bidsketch).
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime)
    }

    /// When it was last changed at the vendor (Bidsketch).
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime)
    }

    /// When the first event of it came.
    async fn first_seen_at(&self) -> DateTime {
        DateTime(self.0.first_seen_at)
    }

    /// When the newest event of it came, payments included.
    async fn last_event_at(&self) -> DateTime {
        DateTime(self.0.last_event_at)
    }
}
