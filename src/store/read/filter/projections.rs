//! Filters of the projections.

use chrono::{NaiveDate, NaiveTime};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};

use super::{equals, has_tag, is_one_of, name_contains};
use crate::clock::Time;
use crate::domain::text::replace_nul;
use crate::domain::{Money, ProposalStatus, Provider, VendorId, fold};
use crate::store::sql::convert::to_micros;

/// A filter of projects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProjectFilter {
    /// The folded name contains this, folded.
    pub name_contains: Option<String>,
    /// With exactly this job number.
    pub job_number: Option<String>,
    /// With exactly this tag.
    pub tag: Option<String>,
    /// Created at this time or later.
    pub created_from: Option<Time>,
    /// Created before this time.
    pub created_before: Option<Time>,
}

/// A filter of drawings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DrawingFilter {
    /// The folded name contains this, folded.
    pub name_contains: Option<String>,
    /// Of this project.
    pub project: Option<VendorId>,
    /// With exactly this tag.
    pub tag: Option<String>,
}

/// A filter of clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClientFilter {
    /// The folded name contains this, folded.
    pub name_contains: Option<String>,
    /// With this e-mail address, both folded.
    pub email: Option<String>,
    /// In this city, both folded.
    pub city: Option<String>,
}

/// A filter of proposals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProposalFilter {
    /// Of one of these vendors.
    pub providers: Option<Vec<Provider>>,
    /// With one of these statuses.
    pub statuses: Option<Vec<ProposalStatus>>,
    /// The folded name contains this, folded.
    pub name_contains: Option<String>,
    /// Of this Bidsketch client.
    pub client: Option<VendorId>,
    /// Of this ArcSite project.
    pub project: Option<VendorId>,
    /// The total is at least this.
    pub total_at_least: Option<Money>,
    /// Created at this time or later.
    pub created_from: Option<Time>,
    /// Created before this time.
    pub created_before: Option<Time>,
    /// Sent before this time.
    pub sent_before: Option<Time>,
    /// Whether its client has viewed it. A proposal of a vendor that reports no views meets
    /// neither.
    pub viewed: Option<bool>,
    /// First viewed before this time.
    pub viewed_before: Option<Time>,
    /// Decided at this time or later.
    pub decided_from: Option<Time>,
    /// Decided before this time.
    pub decided_before: Option<Time>,
}

/// The conditions on views, word for word as in the indexes that hold only such proposals.
const VIEWED: &str = r#""first_viewed_at" IS NOT NULL"#;
const NOT_VIEWED: &str = r#""first_viewed_at" IS NULL AND "provider" <> 'ARCSITE'"#;

impl ProjectFilter {
    pub(in crate::store::read) fn condition(&self) -> Condition {
        Condition::all()
            .add_option(name_contains(self.name_contains.as_deref()))
            .add_option(equals("job_number_key", self.job_number.as_deref()))
            .add_option(has_tag("project_tag", self.tag.as_deref()))
            .add_option(self.created_from.map(|from| Expr::col("created_order").gte(to_micros(from))))
            .add_option(self.created_before.map(|before| Expr::col("created_order").lt(to_micros(before))))
    }
}

impl DrawingFilter {
    pub(in crate::store::read) fn condition(&self) -> Condition {
        Condition::all()
            .add_option(name_contains(self.name_contains.as_deref()))
            .add_option(equals("project_vendor_id", self.project.as_ref().map(VendorId::as_str)))
            .add_option(has_tag("drawing_tag", self.tag.as_deref()))
    }
}

impl ClientFilter {
    pub(in crate::store::read) fn condition(&self) -> Condition {
        Condition::all()
            .add_option(name_contains(self.name_contains.as_deref()))
            .add_option(self.email.as_deref().map(|email| Expr::col("email_search").eq(replace_nul(fold(email)))))
            .add_option(self.city.as_deref().map(|city| Expr::col("city_search").eq(replace_nul(fold(city)))))
    }
}

impl ProposalFilter {
    pub(in crate::store::read) fn condition(&self) -> Condition {
        Condition::all()
            .add_option(is_one_of("provider", &self.providers, Provider::as_str))
            .add_option(is_one_of("status", &self.statuses, ProposalStatus::as_str))
            .add_option(name_contains(self.name_contains.as_deref()))
            .add_option(equals("client_vendor_id", self.client.as_ref().map(VendorId::as_str)))
            .add_option(equals("project_vendor_id", self.project.as_ref().map(VendorId::as_str)))
            .add_option(self.total_at_least.map(|Money(units)| Expr::col("total_order").gte(units)))
            .add_option(self.created_from.map(|from| Expr::col("created_order").gte(to_micros(from))))
            .add_option(self.created_before.map(|before| Expr::col("created_order").lt(to_micros(before))))
            .add_option(self.sent_before.map(|before| Expr::col("sent_at").lt(to_micros(before))))
            .add_option(self.viewed.map(|is| Expr::cust(if is { VIEWED } else { NOT_VIEWED })))
            .add_option(self.viewed_before.map(|before| Expr::col("first_viewed_at").lt(to_micros(before))))
            .add_option(self.decided_from.map(|from| Expr::col("decided_at").gte(to_micros(from))))
            .add_option(self.decided_before.map(|before| Expr::col("decided_at").lt(to_micros(before))))
    }
}

/// A filter of payments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PaymentFilter {
    /// On this proposal. No payment is on one of Bidsketch.
    pub proposal: Option<(Provider, VendorId)>,
    /// On a proposal that belongs to this ArcSite project now.
    pub project: Option<VendorId>,
    /// Paid at this time or later, or on a day that begins then.
    pub paid_from: Option<Time>,
    /// Paid before this time, or on a day that begins before it.
    pub paid_before: Option<Time>,
    /// The amount is at least this.
    pub amount_at_least: Option<Money>,
}

impl PaymentFilter {
    pub(in crate::store::read) fn condition(&self) -> Condition {
        let proposal = self.proposal.as_ref().map(|(provider, id)| match provider {
            Provider::Arcsite => Expr::col("proposal_vendor_id").eq(id.as_str()),
            Provider::Bidsketch => Expr::val(1).eq(0),
        });
        let of_project = self.project.as_ref().map(|project| {
            let proposals = Query::select()
                .column("vendor_id")
                .from("proposal")
                .and_where(Expr::col("provider").eq(Provider::Arcsite.as_str()))
                .and_where(Expr::col("project_vendor_id").eq(project.as_str()))
                .take();
            Expr::col("proposal_vendor_id").in_subquery(proposals)
        });
        Condition::all()
            .add_option(proposal)
            .add_option(of_project)
            .add_option(self.paid_condition())
            .add_option(self.amount_at_least.map(|Money(units)| Expr::col("amount").between(units, i64::MAX)))
    }

    /// A payment has a time or a day. A day is compared by its beginning in UTC.
    fn paid_condition(&self) -> Option<Condition> {
        if self.paid_from.is_none() && self.paid_before.is_none() {
            return None;
        }
        // With two bounds SQLite uses the index, with one it would look through the whole table.
        let from = Expr::col("paid_at").gte(self.paid_from.map_or(i64::MIN, to_micros));
        let before = Expr::col("paid_at").lt(self.paid_before.map_or(i64::MAX, to_micros));
        let by_time = Condition::all().add(from).add(before);
        // The first day that begins at this time or later.
        let first_day = |time: Time| {
            let is_midnight = time.time() == NaiveTime::MIN;
            let day = if is_midnight { Some(time.date_naive()) } else { time.date_naive().succ_opt() };
            day.unwrap_or(NaiveDate::MAX).to_string()
        };
        let by_day = Condition::all()
            .add(Expr::col("paid_at").is_null())
            .add(Expr::col("paid_on").gte(self.paid_from.map_or_else(String::new, first_day)))
            .add_option(self.paid_before.map(|before| Expr::col("paid_on").lt(first_day(before))));
        Some(Condition::any().add(by_time).add(by_day))
    }
}
