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

/// The default order: the newest event first.
pub(crate) const DEFAULT_ORDER: Sort = Sort { column: "last_event_at", tie_breakers: TIE_BREAKERS, descending: true };
/// The columns that order proposals with equal sort values.
pub(crate) const TIE_BREAKERS: &[&str] = &["provider", "vendor_id"];

/// The columns that a field of a proposal needs.
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

/// The current state of a proposal of either vendor, made from its events. A nullable field is null
/// until an event provides it. A field marked (ArcSite) or (Bidsketch) comes from that vendor
/// alone.
#[Object]
impl Proposal {
    /// Node id, for `node` and `nodes`: `proposal:bidsketch:11051955`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Proposal(self.0.provider, self.0.vendor_id.clone()).to_string().into()
    }

    /// The vendor whose proposal it is.
    async fn provider(&self) -> Provider {
        self.0.provider.into()
    }

    /// The vendor's own id with every digit, for `Query.proposal`. Unique per `provider`.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// Name of the proposal; empty until an event provides it.
    async fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }

    /// Description of the work (Bidsketch).
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The current status; null until an event provides it, or if the vendor's word is not
    /// documented: see `vendorStatus`.
    async fn status(&self) -> Option<ProposalStatus> {
        self.0.status.map(ProposalStatus::from)
    }

    /// The status in the vendor's own word: `APPROVED` (ArcSite), `Accepted` (Bidsketch).
    async fn vendor_status(&self) -> Option<&str> {
        self.0.vendor_status.as_deref()
    }

    /// Whether the vendor marks it as a draft (Bidsketch).
    async fn is_draft(&self) -> Option<bool> {
        self.0.is_draft.map(|flag| flag.0)
    }

    /// Name of the person in charge: the owner (Bidsketch) or the sales representative (ArcSite).
    async fn owner(&self) -> Option<&str> {
        self.0.owner.as_deref()
    }

    /// Currency of all its amounts as ISO 4217 code: `USD` (Bidsketch). ArcSite names no currency.
    async fn currency(&self) -> Option<&str> {
        self.0.currency.as_deref()
    }

    /// The total in `currency`, as the vendor computes it; null until an event provides it.
    /// ArcSite names no currency.
    async fn total(&self) -> Option<Decimal> {
        self.0.total.map(Decimal)
    }

    /// Fees due once, in `currency` (Bidsketch).
    async fn one_time_fees(&self) -> Option<Decimal> {
        self.0.one_time_fees.map(Decimal)
    }

    /// Fees due each month, in `currency` (Bidsketch).
    async fn monthly_fees(&self) -> Option<Decimal> {
        self.0.monthly_fees.map(Decimal)
    }

    /// Fees due each year, in `currency` (Bidsketch).
    async fn yearly_fees(&self) -> Option<Decimal> {
        self.0.yearly_fees.map(Decimal)
    }

    /// First tax as an amount in `currency`, not a rate (Bidsketch).
    async fn tax(&self) -> Option<Decimal> {
        self.0.tax.map(Decimal)
    }

    /// Second tax as an amount in `currency`, not a rate (Bidsketch).
    async fn tax2(&self) -> Option<Decimal> {
        self.0.tax2.map(Decimal)
    }

    /// Discount as a negative amount in `currency` (Bidsketch).
    async fn discount(&self) -> Option<Decimal> {
        self.0.discount.map(Decimal)
    }

    /// Name of the customer.
    async fn customer_name(&self) -> Option<&str> {
        self.0.customer_name.as_deref()
    }

    /// E-mail address of the customer. For Bidsketch it is that of `client`, and null until an
    /// event of the client has arrived.
    async fn customer_email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match (&self.0.customer_email, self.0.client_vendor_id.clone()) {
            (Some(email), _) => Ok(Some(email.clone())),
            (None, Some(id)) => Ok(load(ctx, VendorIdKey::<ClientRow>::new(id, ClientRow::email))
                .await?
                .and_then(|client| client.email)),
            (None, None) => Ok(None),
        }
    }

    /// The client it is for (Bidsketch); null until an event of the client itself has arrived. Its
    /// id is in `clientVendorId`.
    async fn client(&self, ctx: &Context<'_>) -> Result<Option<Selected<Client>>> {
        Ok(load_by_vendor_id(ctx, self.0.client_vendor_id.clone(), client::columns)
            .await?
            .map(|row| Selected(Client(row))))
    }

    /// Bidsketch's own id of the client it is for (Bidsketch).
    async fn client_vendor_id(&self) -> Option<&str> {
        self.0.client_vendor_id.as_ref().map(VendorId::as_str)
    }

    /// The project it belongs to (ArcSite); null until an event of the project itself has arrived.
    /// Its id is in `projectVendorId`.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Selected<Project>>> {
        Ok(load_by_vendor_id(ctx, self.0.project_vendor_id.clone(), project::columns)
            .await?
            .map(|row| Selected(Project(row))))
    }

    /// ArcSite's own id of the project it belongs to (ArcSite).
    async fn project_vendor_id(&self) -> Option<&str> {
        self.0.project_vendor_id.as_ref().map(VendorId::as_str)
    }

    /// Payments on the proposal in the order of their arrival (ArcSite); empty if there are none,
    /// and always for Bidsketch.
    #[graphql(complexity = "short_list_cost(child_complexity)")]
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Selected<Payment>>> {
        let columns = look_ahead::node_columns(ctx, payment::columns);
        Ok(self.load_payments(ctx, columns).await?.into_iter().map(|row| Selected(Payment(row))).collect())
    }

    /// Sum of all `payments`: "0.00" if there are none yet. Null for Bidsketch, which reports no
    /// payments.
    async fn paid_total(&self, ctx: &Context<'_>) -> Result<Option<Decimal>> {
        if self.0.provider == domain::Provider::Bidsketch {
            return Ok(None);
        }
        let payments = self.load_payments(ctx, PaymentRow::amount).await?;
        let mut amounts = payments.iter().filter_map(|payment| payment.amount);
        let sum = amounts.try_fold(0_i64, |sum, Money(amount)| sum.checked_add(amount));
        Ok(sum.map(|sum| Decimal(Money(sum))))
    }

    /// URL of the proposal in Bidsketch's API, as JSON (Bidsketch).
    async fn url(&self) -> Option<Url> {
        self.0.url.clone().map(Url)
    }

    /// URL of the proposal's page in Bidsketch's web application (Bidsketch).
    async fn app_url(&self) -> Option<Url> {
        self.0.app_url.clone().map(Url)
    }

    /// When the proposal was created at Bidsketch (Bidsketch).
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime::from)
    }

    /// When the proposal was last changed at Bidsketch, by the newest event that gives a time
    /// (Bidsketch).
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime::from)
    }

    /// When the first event of the proposal itself arrived. Payments do not count.
    async fn first_seen_at(&self) -> DateTime {
        self.0.first_seen_at.into()
    }

    /// When the newest event of the proposal arrived, payments included.
    async fn last_event_at(&self) -> DateTime {
        self.0.last_event_at.into()
    }

    /// Events of this proposal, payments included, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Result<EventConnection> {
        let args = PageArgs { first, after, last, before };
        let relation = Relation { column: "proposal_vendor_id", provider: Some(self.0.provider) };
        load_child_connection::<EventRow>(ctx, self.0.vendor_id.clone(), relation, LOG_ORDER, args, event::columns)
            .await
    }
}
