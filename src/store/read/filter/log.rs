//! Filters of events and of deliveries.
//!
//! Every condition on an event but one reads only the event's own row, so that a replay gives the
//! same as the live stream. Whether an event was redelivered may change, and is read when it is
//! asked for.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, Func, Query};

use super::{equals, is_one_of, is_one_of_texts};
use crate::clock::Time;
use crate::domain::text::replace_nul;
use crate::domain::{DeliveryOutcome, EventKind, ProposalStatus, Provider, QuarantineReason, VendorId};
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

impl EventFilter {
    pub(in crate::store::read) fn condition(&self) -> Condition {
        self.indexed_condition().add_option(self.payload_contains.as_deref().map(|part| {
            // Case counts on both databases, unlike with LIKE.
            let without = Func::cust("replace").arg(Expr::cust(PAYLOAD)).arg(replace_nul(part.to_owned())).arg("");
            Expr::from(without).ne(Expr::cust(PAYLOAD))
        }))
    }

    /// The conditions without `payload_contains`.
    pub(in crate::store::read) fn indexed_condition(&self) -> Condition {
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

    /// The same condition, for a page in the order of the log on SQLite. A follower of the log
    /// reads many pages, for which it would cost too much.
    pub(in crate::store::read) fn sqlite_page_condition(&self) -> Condition {
        let others = Self { received_from: None, received_before: None, ..self.clone() };
        others.condition().add(sqlite_arrivals(EventRow::TABLE, "seq", (self.received_from, self.received_before)))
    }

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
    pub(in crate::store::read) fn sqlite_page_condition(&self) -> Condition {
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
