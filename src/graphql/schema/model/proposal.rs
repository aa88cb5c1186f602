//! Proposals.

use async_graphql::{Context, ID, Object, Result};

use super::enums::{ProposalStatus, Provider};
use super::scalar::{DateTime, Decimal, Url};
use super::{Client, Payment, Project, client, event, load, load_by_vendor_id, payment, project};
use crate::domain::{self, Money, NodeId, VendorId};
use crate::graphql::execution::look_ahead;
use crate::graphql::execution::selection::Selected;
use crate::graphql::loader::{ProposalPaymentsKey, VendorIdKey};
use crate::graphql::pagination::args::{PageArgs, page_cost, short_list_cost};
use crate::graphql::pagination::connection::{EventConnection, load_child_connection};
use crate::store::read::relation::Relation;
use crate::store::read::{ClientRow, EventRow, LOG_ORDER, PaymentRow, ProposalRow, Sort};
use crate::store::sql::json_rows::Columns;

pub(crate) struct Proposal(pub(crate) ProposalRow);

/// The order where none is asked for.
pub(crate) const DEFAULT_ORDER: Sort = Sort { column: "last_event_at", tie_breakers: TIE_BREAKERS, descending: true };
/// What tells proposals apart that are equal in an order.
pub(crate) const TIE_BREAKERS: &[&str] = &["provider", "vendor_id"];

/// The columns that each field of a proposal needs.
pub(crate) fn columns(field: &str) -> Columns {
    match field {
        "name" => ProposalRow::name,
        "description" => ProposalRow::description,
        "status" => ProposalRow::status,
        "vendorStatus" => ProposalRow::vendor_status,
        "isDraft" => ProposalRow::is_draft,
        "owner" => ProposalRow::owner,
        "currency" => ProposalRow::currency,
        "total" => ProposalRow::total,
        "oneTimeFees" => ProposalRow::one_time_fees,
        "monthlyFees" => ProposalRow::monthly_fees,
        "yearlyFees" => ProposalRow::yearly_fees,
        "tax" => ProposalRow::tax,
        "tax2" => ProposalRow::tax2,
        "discount" => ProposalRow::discount,
        "customerName" => ProposalRow::customer_name,
        "clientVendorId" => ProposalRow::client_vendor_id,
        "projectVendorId" => ProposalRow::project_vendor_id,
        "url" => ProposalRow::url,
        "appUrl" => ProposalRow::app_url,
        "createdAt" => ProposalRow::created_at,
        "updatedAt" => ProposalRow::updated_at,
        "firstSeenAt" => ProposalRow::first_seen_at,
        "lastEventAt" => ProposalRow::last_event_at,
        "customerEmail" => ProposalRow::customer_email | ProposalRow::client_vendor_id,
        "client" => ProposalRow::client_vendor_id,
        "project" => ProposalRow::project_vendor_id,
        _ => Columns::NONE,
    }
}

impl Proposal {
    async fn load_payments(&self, ctx: &Context<'_>, columns: Columns) -> Result<Vec<PaymentRow>> {
        match self.0.provider {
            domain::Provider::Arcsite => {
                Ok(load(ctx, ProposalPaymentsKey(self.0.vendor_id.clone(), columns)).await?.unwrap_or_default())
            }
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
        self.0.name.as_deref().unwrap_or_default()
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
        self.0.is_draft.map(|flag| flag.0)
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
            (None, Some(id)) => Ok(load(ctx, VendorIdKey::<ClientRow>::new(id, ClientRow::email))
                .await?
                .and_then(|client| client.email)),
            (None, None) => Ok(None),
        }
    }

    /// Its client (Bidsketch); null until the client itself has been seen.
    async fn client(&self, ctx: &Context<'_>) -> Result<Option<Selected<Client>>> {
        Ok(load_by_vendor_id(ctx, self.0.client_vendor_id.clone(), client::columns)
            .await?
            .map(|row| Selected(Client(row))))
    }

    /// Bidsketch's own id of its client.
    async fn client_vendor_id(&self) -> Option<&str> {
        self.0.client_vendor_id.as_ref().map(VendorId::as_str)
    }

    /// Its project (ArcSite); null until the project itself has been seen.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Selected<Project>>> {
        Ok(load_by_vendor_id(ctx, self.0.project_vendor_id.clone(), project::columns)
            .await?
            .map(|row| Selected(Project(row))))
    }

    /// ArcSite's own id of its project.
    async fn project_vendor_id(&self) -> Option<&str> {
        self.0.project_vendor_id.as_ref().map(VendorId::as_str)
    }

    /// The payments on it (ArcSite), in the order in which they came.
    #[graphql(complexity = "short_list_cost(child_complexity)")]
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Selected<Payment>>> {
        let columns = look_ahead::node_columns(ctx, payment::columns);
        Ok(self.load_payments(ctx, columns).await?.into_iter().map(|row| Selected(Payment(row))).collect())
    }

    /// The sum of its payments; null for Bidsketch, which sends none.
    async fn paid_total(&self, ctx: &Context<'_>) -> Result<Option<Decimal>> {
        if self.0.provider == domain::Provider::Bidsketch {
            return Ok(None);
        }
        let payments = self.load_payments(ctx, PaymentRow::amount).await?;
        let mut amounts = payments.iter().filter_map(|payment| payment.amount);
        let sum = amounts.try_fold(0_i64, |sum, Money(amount)| sum.checked_add(amount));
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
        self.0.created_at.map(DateTime::from)
    }

    /// When it was last changed at the vendor (Bidsketch).
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime::from)
    }

    /// When it was first seen: when the first event came that is its own, not only of what hangs under it.
    async fn first_seen_at(&self) -> DateTime {
        self.0.first_seen_at.into()
    }

    /// When the newest event of it came, payments included.
    async fn last_event_at(&self) -> DateTime {
        self.0.last_event_at.into()
    }

    /// The events of it, payments included, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<EventConnection> {
        let args = PageArgs { first, after, last, before };
        let kinship = Relation { column: "proposal_vendor_id", provider: Some(self.0.provider) };
        load_child_connection::<EventRow>(ctx, self.0.vendor_id.clone(), kinship, LOG_ORDER, args, event::columns).await
    }
}
