//! Filters of lists. `None` sets no condition; no row meets an empty list.
//!
//! Every condition on an event but one reads only the event's own row, so that a replay gives the
//! same as the live stream. Whether an event was redelivered may change, and is read when it is
//! asked for.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Func, LikeExpr, Query};

use crate::clock::Time;
use crate::domain::text::replace_nul;
use crate::domain::{DeliveryOutcome, EventKind, Money, ProposalStatus, Provider, QuarantineReason, VendorId, fold};
use crate::store::StoreError;
use crate::store::read::{DeliveryRow, EventRow};
use crate::store::sql::convert::to_micros;
use crate::store::sql::json_rows::ReadRow;

/// A filter of events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventFilter {
    /// Of one of these vendors.
    pub providers: Option<Vec<Provider>>,
    /// Of one of these kinds.
    pub kinds: Option<Vec<EventKind>>,
    /// With one of these statuses, as the event gave it.
    pub statuses: Option<Vec<ProposalStatus>>,
    /// Of this proposal.
    pub proposal: Option<(Provider, VendorId)>,
    /// Of this Bidsketch client, its proposals included.
    pub client: Option<VendorId>,
    /// Of this ArcSite project, its drawings and proposals included.
    pub project: Option<VendorId>,
    /// Of this ArcSite drawing.
    pub drawing: Option<VendorId>,
    /// Received at this time or later.
    pub received_from: Option<Time>,
    /// Received before this time.
    pub received_before: Option<Time>,
    /// With one of these vendor's types of their first delivery.
    pub vendor_types: Option<Vec<String>>,
    /// The text of the payload contains this, exactly. No index answers it.
    pub payload_contains: Option<String>,
    /// Whether another delivery has repeated it. Only the database knows.
    pub redelivered: Option<bool>,
}

/// A filter of deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeliveryFilter {
    /// With one of these outcomes.
    pub outcomes: Option<Vec<DeliveryOutcome>>,
    /// Quarantined for one of these reasons.
    pub reasons: Option<Vec<QuarantineReason>>,
    /// Of one of these vendors.
    pub providers: Option<Vec<Provider>>,
    /// Received at this time or later.
    pub received_from: Option<Time>,
    /// Received before this time.
    pub received_before: Option<Time>,
}

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

/// The conditions on redeliveries, of which an index holds only those.
const REDELIVERED: &str = r#""seq" IN (SELECT "event_seq" FROM "delivery" WHERE "outcome" = 'REDELIVERY')"#;
const NOT_REDELIVERED: &str =
    r#"NOT EXISTS (SELECT 1 FROM "delivery" WHERE "outcome" = 'REDELIVERY' AND "event_seq" = "event"."seq")"#;

/// A body without the member that names the vendor's type, as the two vendors may write it: the
/// rest is the payload. The functions are those that both databases have.
const PAYLOAD: &str =
    r#"replace(replace("body", '"event":"' || "vendor_type" || '"', ''), '"event": "' || "vendor_type" || '"', '')"#;

/// As [`PAYLOAD`].
fn payload(body: &str, vendor_type: &str) -> String {
    body.replace(&format!(r#""event":"{vendor_type}""#), "").replace(&format!(r#""event": "{vendor_type}""#), "")
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

impl EventFilter {
    pub(super) fn condition(&self) -> Condition {
        self.indexed_condition().add_option(self.payload_contains.as_deref().map(|part| {
            // Case counts on both databases, unlike with LIKE.
            let without = Func::cust("replace").arg(Expr::cust(PAYLOAD)).arg(replace_nul(part.to_owned())).arg("");
            Expr::from(without).ne(Expr::cust(PAYLOAD))
        }))
    }

    /// The conditions without `payload_contains`.
    pub(super) fn indexed_condition(&self) -> Condition {
        let proposal = self.proposal.as_ref();
        Condition::all()
            .add_option(is_one_of_texts("vendor_type", self.vendor_types.as_deref()))
            .add_option(self.redelivered.map(|is| Expr::cust(if is { REDELIVERED } else { NOT_REDELIVERED })))
            .add_option(is_one_of("provider", &self.providers, Provider::as_str))
            .add_option(is_one_of("kind", &self.kinds, EventKind::as_str))
            .add_option(is_one_of("status", &self.statuses, ProposalStatus::as_str))
            .add_option(proposal.map(|(provider, _)| Expr::col("provider").eq(provider.as_str())))
            .add_option(proposal.map(|(_, id)| Expr::col("proposal_vendor_id").eq(id.as_str())))
            .add_option(equals("client_vendor_id", self.client.as_ref().map(VendorId::as_str)))
            .add_option(equals("project_vendor_id", self.project.as_ref().map(VendorId::as_str)))
            .add_option(equals("drawing_vendor_id", self.drawing.as_ref().map(VendorId::as_str)))
            .add_option(self.received_from.map(|from| Expr::col("received_at").gte(to_micros(from))))
            .add_option(self.received_before.map(|before| Expr::col("received_at").lt(to_micros(before))))
    }
}

impl EventFilter {
    /// The same condition, for a page in the order of the log on SQLite. A follower of the log
    /// reads many pages, for which it would cost too much.
    pub(super) fn sqlite_page_condition(&self) -> Condition {
        let others = Self { received_from: None, received_before: None, ..self.clone() };
        others.condition().add(sqlite_arrivals(EventRow::TABLE, "seq", (self.received_from, self.received_before)))
    }
}

impl EventFilter {
    /// Whether an event with all its columns meets the filter. It gives the same result as the
    /// condition in the database.
    ///
    /// # Errors
    ///
    /// Only the database knows whether the event was redelivered, and the filter asks that.
    pub fn matches(&self, event: &EventRow) -> Result<bool, StoreError> {
        if self.redelivered.is_some() {
            return Err(StoreError::Unreadable("only the database knows the redeliveries of an event".to_owned()));
        }
        fn has<T: PartialEq>(values: &Option<Vec<T>>, value: Option<&T>) -> bool {
            values.as_ref().is_none_or(|values| value.is_some_and(|value| values.contains(value)))
        }
        let is = |filter: &Option<VendorId>, id: &Option<VendorId>| filter.is_none() || filter == id;
        let (proposal, received_at) = (event.proposal_vendor_id.get()?, event.received_at.get()?.0);
        let vendor_type = event.vendor_type.get()?;
        Ok(has(&self.providers, Some(&event.provider))
            && has(&self.kinds, Some(&event.kind))
            && has(&self.statuses, event.status.get()?.as_ref())
            && self
                .proposal
                .as_ref()
                .is_none_or(|(provider, id)| *provider == event.provider && Some(id) == proposal.as_ref())
            && is(&self.client, event.client_vendor_id.get()?)
            && is(&self.project, event.project_vendor_id.get()?)
            && is(&self.drawing, event.drawing_vendor_id.get()?)
            && self.received_from.is_none_or(|from| received_at >= to_micros(from))
            && self.received_before.is_none_or(|before| received_at < to_micros(before))
            && self.vendor_types.as_ref().is_none_or(|types| types.contains(vendor_type))
            && match &self.payload_contains {
                None => true,
                Some(part) => payload(event.body.get()?, vendor_type).contains(&replace_nul(part.clone())),
            })
    }
}

impl DeliveryFilter {
    pub(in crate::store) fn condition(&self) -> Condition {
        Condition::all()
            .add_option(is_one_of("outcome", &self.outcomes, DeliveryOutcome::as_str))
            .add_option(is_one_of("quarantine_reason", &self.reasons, QuarantineReason::as_str))
            .add_option(is_one_of("provider", &self.providers, Provider::as_str))
            .add_option(self.received_from.map(|from| Expr::col("received_at").gte(to_micros(from))))
            .add_option(self.received_before.map(|before| Expr::col("received_at").lt(to_micros(before))))
    }

    /// The same condition, for a page in the order of arrival on SQLite.
    pub(super) fn sqlite_page_condition(&self) -> Condition {
        let others = Self { received_from: None, received_before: None, ..self.clone() };
        others.condition().add(sqlite_arrivals(DeliveryRow::TABLE, "id", (self.received_from, self.received_before)))
    }
}

/// The rows that arrived within bounds, for a page in the order of arrival on SQLite. SQLite keeps
/// no statistics: it would sort a long range, or look through the whole table for a short one.
/// Clocks differ and are set, so the order of arrival is not that of the times; but the index of
/// the times gives the first and the last row of the range, and the page is read between them.
fn sqlite_arrivals(table: &'static str, key: &'static str, bounds: (Option<Time>, Option<Time>)) -> Condition {
    let (from, before) = bounds;
    let in_range = |received_at: Expr| {
        Condition::all()
            .add_option(from.map(|from| received_at.clone().gte(to_micros(from))))
            .add_option(before.map(|before| received_at.lt(to_micros(before))))
    };
    if from.is_none() && before.is_none() {
        return Condition::all();
    }
    // An expression, which no index has.
    let end = |aggregate: &str| {
        let end = Query::select()
            .expr(Expr::cust(format!("{aggregate}(\"{key}\" + 0)")))
            .from(table)
            .cond_where(in_range(Expr::col("received_at")))
            .take();
        Expr::SubQuery(None, Box::new(end.into()))
    };
    in_range(Expr::col("received_at").add(0)).add(Expr::col(key).between(end("MIN"), end("MAX")))
}

impl ProjectFilter {
    pub(super) fn condition(&self) -> Condition {
        Condition::all()
            .add_option(name_contains(self.name_contains.as_deref()))
            .add_option(equals("job_number_key", self.job_number.as_deref()))
            .add_option(has_tag("project_tag", self.tag.as_deref()))
            .add_option(self.created_from.map(|from| Expr::col("created_order").gte(to_micros(from))))
            .add_option(self.created_before.map(|before| Expr::col("created_order").lt(to_micros(before))))
    }
}

impl DrawingFilter {
    pub(super) fn condition(&self) -> Condition {
        Condition::all()
            .add_option(name_contains(self.name_contains.as_deref()))
            .add_option(equals("project_vendor_id", self.project.as_ref().map(VendorId::as_str)))
            .add_option(has_tag("drawing_tag", self.tag.as_deref()))
    }
}

impl ClientFilter {
    pub(super) fn condition(&self) -> Condition {
        Condition::all()
            .add_option(name_contains(self.name_contains.as_deref()))
            .add_option(self.email.as_deref().map(|email| Expr::col("email_search").eq(replace_nul(fold(email)))))
            .add_option(self.city.as_deref().map(|city| Expr::col("city_search").eq(replace_nul(fold(city)))))
    }
}

impl ProposalFilter {
    pub(super) fn condition(&self) -> Condition {
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

impl PaymentFilter {
    pub(super) fn condition(&self) -> Condition {
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

fn equals(column: &'static str, value: Option<&str>) -> Option<Expr> {
    value.map(|value| Expr::col(column).eq(replace_nul(value.to_owned())))
}

fn is_one_of<T: Copy>(column: &'static str, values: &Option<Vec<T>>, name: impl Fn(T) -> &'static str) -> Option<Expr> {
    // Each name once: a database limits the values of a statement, but a list may repeat itself
    // without limit.
    let names: BTreeSet<&str> = values.as_ref()?.iter().map(|value| name(*value)).collect();
    Some(Expr::col(column).is_in(names))
}

fn is_one_of_texts(column: &'static str, values: Option<&[String]>) -> Option<Expr> {
    let values: BTreeSet<String> = values?.iter().cloned().map(replace_nul).collect();
    Some(Expr::col(column).is_in(values))
}

/// We fold both sides, not the database.
fn name_contains(part: Option<&str>) -> Option<Expr> {
    Some(Expr::col("name_search").like(like("%", &replace_nul(fold(part?)))))
}

/// A pattern: the wildcard `before`, a folded text, and anything. Wildcards in the text are taken
/// literally, those too that only folding makes of other characters.
pub(super) fn like(before: &str, folded: &str) -> LikeExpr {
    let mut pattern = String::from(before);
    for letter in folded.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}

fn has_tag(table: &'static str, tag: Option<&str>) -> Option<Expr> {
    let having = Query::select()
        .column("vendor_id")
        .from(table)
        .and_where(Expr::col("tag").eq(replace_nul(tag?.to_owned())))
        .take();
    Some(Expr::col("vendor_id").in_subquery(having))
}
