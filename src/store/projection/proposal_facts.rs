//! What happened to a proposal, and when: its sending, its views, its decision and its payments.
//!
//! An event counts here even if it is older than the row and does not change its state: the first
//! view is the earliest one, however late its delivery arrives. Only the payload's own kind says
//! what happened. Nothing is inferred: an accepted proposal may never have been sent or viewed, as
//! far as the events tell.

use entity::proposal::Model;

use super::proposal::stored_status;
use crate::domain::{Change, EventKind, NewPayment, ProposalStatus, Provider};
use crate::store::log::{Derived, Entry};
use crate::store::sql::convert::to_micros;

/// How many microseconds a slot of views has: a quarter of an hour. The offsets of all time zones
/// of today are whole quarters.
pub const VIEW_SLOT_MICROS: i64 = 15 * 60 * 1_000_000;

/// The columns of an event's own row that its proposal gives it. `stored` is the proposal's row
/// just before the event.
pub(super) fn derive(entry: &Entry<'_>, stored: Option<&Model>) -> Derived {
    let is_view = entry.event.kind == EventKind::ProposalViewed;
    Derived {
        previous_status: stored.and_then(stored_status),
        view_slot: is_view.then(|| happened_at(entry, stored).div_euclid(VIEW_SLOT_MICROS)),
    }
}

/// Counts an event in the row that has its state already.
pub(super) fn count(entry: &Entry<'_>, stored: Option<&Model>, row: &mut Model) {
    if is_sending(entry) {
        row.sent_at = earliest(row.sent_at, happened_at(entry, stored));
    }
    if entry.event.kind == EventKind::ProposalViewed {
        let at = happened_at(entry, stored);
        row.view_count += 1;
        row.first_viewed_at = earliest(row.first_viewed_at, at);
        row.last_viewed_at = row.last_viewed_at.max(Some(at));
    }
    count_decision(entry, stored, row);
    row.stats_key = stats_key(row);
}

/// The letters of a currency's code. Longer words would be too many groups, and too long for an
/// index.
const CURRENCY_LETTERS: usize = 3;

/// [`stats_key`] of the stored columns, in SQL.
pub(super) const STATS_KEY: &str = r#""provider" || ' ' || COALESCE("status", '') || ' ' ||
    CASE WHEN length("currency") = 3 THEN "currency" ELSE '' END"#;

/// What the proposal is counted under.
fn stats_key(row: &Model) -> String {
    let currency = row.currency.as_deref().filter(|currency| currency.chars().count() == CURRENCY_LETTERS);
    format!("{} {} {}", row.provider, row.status.as_deref().unwrap_or_default(), currency.unwrap_or_default())
}

/// Adds a payment. A sum that is too large for the column stays at the greatest number.
pub(super) fn add_payment(row: &mut Model, payment: &NewPayment) {
    row.paid = row.paid.saturating_add(payment.amount.0);
}

/// The decision that stands has the time of the earliest event that gave it.
fn count_decision(entry: &Entry<'_>, stored: Option<&Model>, row: &mut Model) {
    let status = stored_status(row);
    if !status.is_some_and(ProposalStatus::is_final) {
        row.decided_at = None;
        return;
    }
    let given = match &entry.event.change {
        Change::Proposal(_, change) => change.status.status(),
        Change::Project(..) | Change::Drawing(..) | Change::Client(..) | Change::Payment(_) | Change::Nothing => None,
    };
    let at = to_micros(entry.event.state_updated_at.unwrap_or(entry.received_at));
    if stored.and_then(stored_status) != status {
        row.decided_at = Some(at);
    } else if given == status {
        row.decided_at = earliest(row.decided_at, at);
    }
}

/// Whether the event says that the proposal was sent. A pending proposal of ArcSite was; one of
/// Bidsketch may be a draft.
fn is_sending(entry: &Entry<'_>) -> bool {
    let event = entry.event;
    event.kind == EventKind::ProposalSent
        || event.provider == Provider::Arcsite
            && event.kind == EventKind::ProposalStatusChanged
            && event.status == Some(ProposalStatus::Pending)
}

/// When a sending or a view happened: at the vendor's time if that is believed, else at its
/// arrival. Bidsketch's time is that of the last change of the proposal. A second view does not
/// change it, so a time that the row has taken already says nothing about this event.
fn happened_at(entry: &Entry<'_>, stored: Option<&Model>) -> i64 {
    let time = entry.event.believed_time(entry.received_at).map(to_micros);
    time.filter(|time| stored.is_none_or(|row| row.order_key != *time)).unwrap_or_else(|| to_micros(entry.received_at))
}

fn earliest(stored: Option<i64>, at: i64) -> Option<i64> {
    Some(stored.map_or(at, |stored| stored.min(at)))
}
