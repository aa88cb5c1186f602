//! Proposals.

use async_graphql::{Context, ID, Object, Result};

use super::enums::{ProposalStatus, Provider};
use super::file::{StoredFile, load_files};
use super::scalar::{DateTime, Decimal, Url};
use super::{Client, Payment, Project, load, load_by_vendor_id, optional, read, text};
use crate::domain::{self, Money, NodeId, VendorId};
use crate::graphql::execution::look_ahead::{ShownRow, node_columns};
use crate::graphql::execution::selection::Selected;
use crate::graphql::loader::{PaidTotalKey, VendorIdKey};
use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::{EventConnection, PaymentConnection};
use crate::graphql::pagination::load::{Children, load_children, load_list, load_related};
use crate::store::read::relation::{Parent, Relation};
use crate::store::read::{ClientRow, EventRow, FileRow, PaymentRow, ProposalRow};
use crate::store::sql::json_rows::Columns;

pub(crate) struct Proposal(pub(crate) ProposalRow);

impl ShownRow for ProposalRow {
    const OTHER_COLUMNS: &'static [(&'static str, Columns)] = &[
        ("client", ProposalRow::client_vendor_id),
        ("customerEmail", ProposalRow::client_vendor_id),
        ("project", ProposalRow::project_vendor_id),
        ("files", ProposalRow::drawing_vendor_id),
    ];
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
    async fn name(&self) -> Result<&str> {
        Ok(text(&self.0.name)?.unwrap_or_default())
    }

    /// Description of the work (Bidsketch).
    async fn description(&self) -> Result<Option<&str>> {
        text(&self.0.description)
    }

    /// The current status; null until an event provides it, or if the vendor's word is not
    /// documented: see `vendorStatus`.
    async fn status(&self) -> Result<Option<ProposalStatus>> {
        optional(&self.0.status, ProposalStatus::from)
    }

    /// The status in the vendor's own word: `APPROVED` (ArcSite), `Accepted` (Bidsketch).
    async fn vendor_status(&self) -> Result<Option<&str>> {
        text(&self.0.vendor_status)
    }

    /// Whether the vendor marks it as a draft (Bidsketch).
    async fn is_draft(&self) -> Result<Option<bool>> {
        optional(&self.0.is_draft, |flag| flag.0)
    }

    /// Name of the person in charge: the owner (Bidsketch) or the sales representative (ArcSite).
    async fn owner(&self) -> Result<Option<&str>> {
        text(&self.0.owner)
    }

    /// Currency of all its amounts as ISO 4217 code: `USD` (Bidsketch). ArcSite names no currency.
    async fn currency(&self) -> Result<Option<&str>> {
        text(&self.0.currency)
    }

    /// What the customer is to pay, as the vendor computes it, in `currency`; null until an event
    /// provides it. ArcSite names no currency: it is that of the office. `paidTotal` has what was
    /// paid.
    async fn total(&self) -> Result<Option<Decimal>> {
        optional(&self.0.total, Decimal)
    }

    /// Fees due once, in `currency` (Bidsketch).
    async fn one_time_fees(&self) -> Result<Option<Decimal>> {
        optional(&self.0.one_time_fees, Decimal)
    }

    /// Fees due each month, in `currency` (Bidsketch).
    async fn monthly_fees(&self) -> Result<Option<Decimal>> {
        optional(&self.0.monthly_fees, Decimal)
    }

    /// Fees due each year, in `currency` (Bidsketch).
    async fn yearly_fees(&self) -> Result<Option<Decimal>> {
        optional(&self.0.yearly_fees, Decimal)
    }

    /// First tax as an amount in `currency`, not a rate (Bidsketch).
    async fn tax(&self) -> Result<Option<Decimal>> {
        optional(&self.0.tax, Decimal)
    }

    /// Second tax as an amount in `currency`, not a rate (Bidsketch).
    async fn tax2(&self) -> Result<Option<Decimal>> {
        optional(&self.0.tax2, Decimal)
    }

    /// Discount as a negative amount in `currency` (Bidsketch).
    async fn discount(&self) -> Result<Option<Decimal>> {
        optional(&self.0.discount, Decimal)
    }

    /// Name of the customer.
    async fn customer_name(&self) -> Result<Option<&str>> {
        text(&self.0.customer_name)
    }

    /// E-mail address of the customer. For Bidsketch it is that of `client`, and null until an
    /// event of the client has arrived.
    async fn customer_email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if let Some(email) = text(&self.0.customer_email)? {
            return Ok(Some(email.to_owned()));
        }
        let Some(id) = read(&self.0.client_vendor_id)?.clone() else { return Ok(None) };
        let client = load(ctx, VendorIdKey::<ClientRow>::new(id, ClientRow::email)).await?;
        client.map_or(Ok(None), |client| optional(&client.email, String::from))
    }

    /// The client it is for (Bidsketch); null until an event of the client itself has arrived. Its
    /// id is in `clientVendorId`.
    async fn client(&self, ctx: &Context<'_>) -> Result<Option<Selected<Client>>> {
        Ok(load_by_vendor_id(ctx, read(&self.0.client_vendor_id)?.as_ref()).await?.map(|row| Selected(Client(row))))
    }

    /// Bidsketch's own id of the client it is for (Bidsketch).
    async fn client_vendor_id(&self) -> Result<Option<&str>> {
        Ok(read(&self.0.client_vendor_id)?.as_ref().map(VendorId::as_str))
    }

    /// The project it belongs to (ArcSite); null until an event of the project itself has arrived.
    /// Its id is in `projectVendorId`.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Selected<Project>>> {
        Ok(load_by_vendor_id(ctx, read(&self.0.project_vendor_id)?.as_ref()).await?.map(|row| Selected(Project(row))))
    }

    /// ArcSite's own id of the project it belongs to (ArcSite).
    async fn project_vendor_id(&self) -> Result<Option<&str>> {
        Ok(read(&self.0.project_vendor_id)?.as_ref().map(VendorId::as_str))
    }

    /// The first 100 payments on the proposal in the order of their arrival (ArcSite); empty if
    /// there are none, and always for Bidsketch. `paymentConnection` has all.
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Selected<Payment>>> {
        if self.0.provider == domain::Provider::Bidsketch {
            return Ok(Vec::new());
        }
        let parent = (Relation::PAYMENTS, self.0.child_key());
        let rows = load_list::<PaymentRow>(ctx, parent, PaymentRow::ARRIVAL).await?;
        Ok(rows.into_iter().map(|row| Selected(Payment(row))).collect())
    }

    /// Sum of all its payments: "0.00" if there are none yet. Null for Bidsketch, which reports no
    /// payments.
    async fn paid_total(&self, ctx: &Context<'_>) -> Result<Option<Decimal>> {
        if self.0.provider == domain::Provider::Bidsketch {
            return Ok(None);
        }
        let total = load(ctx, PaidTotalKey(self.0.vendor_id.clone())).await?.unwrap_or(Some(Money(0)));
        Ok(total.map(Decimal))
    }

    /// The newest 50 files of the proposal, newest first (ArcSite): those that its own events name,
    /// and the signed proposals of the drawing that it was made from, because their events name
    /// the drawing alone. Empty if files are off. The files of one event are in
    /// `ProposalEvent.files`.
    async fn files(&self, ctx: &Context<'_>) -> Result<Vec<Selected<StoredFile>>> {
        if self.0.provider == domain::Provider::Bidsketch {
            return Ok(Vec::new());
        }
        let own = (Relation::PROPOSAL_FILES, self.0.child_key());
        let drawing = read(&self.0.drawing_vendor_id)?.as_ref();
        let signed = drawing.map(|id| (Relation::SIGNED_FILES, id.as_str().to_owned()));
        Box::pin(load_files(ctx, [own].into_iter().chain(signed), node_columns::<FileRow>(ctx))).await
    }

    /// URL of the proposal in Bidsketch's API, as JSON (Bidsketch).
    async fn url(&self) -> Result<Option<Url>> {
        optional(&self.0.url, Url)
    }

    /// URL of the proposal's page in Bidsketch's web application (Bidsketch).
    async fn app_url(&self) -> Result<Option<Url>> {
        optional(&self.0.app_url, Url)
    }

    /// When the proposal was created at Bidsketch (Bidsketch).
    async fn created_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.created_at, DateTime::from)
    }

    /// When the proposal was last changed at Bidsketch, by the newest event that gives a time
    /// (Bidsketch).
    async fn updated_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.updated_at, DateTime::from)
    }

    /// When the first event of the proposal itself arrived. Payments do not count.
    async fn first_seen_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.first_seen_at)?).into())
    }

    /// When the newest event of the proposal arrived, payments included.
    async fn last_event_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.last_event_at)?).into())
    }

    /// When it was first sent to the customer: the earliest of its PROPOSAL_SENT events, and for
    /// ArcSite of its changes to PENDING. Null as long as no event says so. An event counts at its
    /// `occurredAt`; without one, or if an earlier event of the proposal has the same time, at its
    /// `receivedAt`. Redeliveries do not count.
    async fn sent_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.sent_at, DateTime::from)
    }

    /// When the client first looked at it (Bidsketch): the earliest of its PROPOSAL_VIEWED events.
    /// They count at the time that `sentAt` describes. Null as long as there is none, and always
    /// for ArcSite, which reports no views.
    async fn first_viewed_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.first_viewed_at, DateTime::from)
    }

    /// When the client last looked at it (Bidsketch): the latest of its PROPOSAL_VIEWED events.
    async fn last_viewed_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.last_viewed_at, DateTime::from)
    }

    /// How often the client has looked at it (Bidsketch): the number of its PROPOSAL_VIEWED events.
    /// 0 for ArcSite, which reports no views.
    async fn view_count(&self) -> Result<i64> {
        Ok(*read(&self.0.view_count)?)
    }

    /// When it got the final status that it has now: ACCEPTED, DECLINED, VOID or LOST. The earliest
    /// event that gave this status counts, at the `updatedAt` of its payload; without one
    /// (ArcSite), at its `receivedAt`. Null while the proposal is open.
    async fn decided_at(&self) -> Result<Option<DateTime>> {
        optional(&self.0.decided_at, DateTime::from)
    }

    #[graphql(flatten)]
    async fn children(&self) -> Children<'_, ProposalRow> {
        Children(&self.0)
    }
}

paged_object! {
    #[Object(name = "ProposalChildren")]
    impl Children<'_, ProposalRow> {
        /// Events of this proposal, payments included, newest first.
        fn events(self, ctx, args) -> EventConnection {
            load_children::<EventRow>(ctx, self.0, args).await
        }

        /// All payments on this proposal in the order of their arrival (ArcSite), in pages.
        fn payment_connection(self, ctx, args) -> PaymentConnection {
            // No payment names a proposal of Bidsketch, whose ids may equal those of ArcSite.
            let parent = match self.0.provider {
                domain::Provider::Arcsite => self.0.child_key(),
                domain::Provider::Bidsketch => String::new(),
            };
            load_related::<PaymentRow>(ctx, (Relation::PAYMENTS, parent), PaymentRow::ARRIVAL, args).await
        }
    }
}
