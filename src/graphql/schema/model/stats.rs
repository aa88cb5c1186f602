//! Numbers over proposals and events.

use std::collections::{BTreeMap, HashMap};

use async_graphql::{Object, Result, SimpleObject};

use super::enums::{EventKind, ProposalStatus, Provider, TimeBucket};
use super::scalar::{DateTime, Decimal};
use crate::domain::{self, Bucket, TimeZone};
use crate::graphql::error::ApiError;
use crate::graphql::execution::compat::ScalarText;
use crate::graphql::execution::selection::Selected;
use crate::store::projection::VIEW_SLOT_MICROS;
use crate::store::read::event_stats::EventCount;
use crate::store::read::proposal_stats::{Group, GroupInBucket, GroupPaid};
use crate::store::read::value::Micros;

/// The largest number of buckets of an answer.
pub(crate) const BUCKETS_MAX: usize = 1000;

/// Numbers over the proposals that were created in a range of time. All of them are of one moment.
#[derive(Debug)]
pub(crate) struct ProposalStats {
    pub(crate) cursor: String,
    /// The proposals of each group, in any buckets.
    pub(crate) groups: Vec<GroupInBucket>,
    pub(crate) paid: Vec<GroupPaid>,
    pub(crate) arcsite_currency: Option<String>,
    /// The funnel of each length of bucket that is selected.
    pub(crate) funnels: HashMap<domain::TimeBucket, Vec<FunnelBucket>>,
    /// How many seconds each accepted proposal took, in no order.
    pub(crate) seconds_to_accept: Vec<i64>,
    /// How many views each slot has.
    pub(crate) views: Vec<(i64, i64)>,
    pub(crate) zone: TimeZone,
}

/// Numbers over the proposals that were created in a range of time. A proposal counts with its
/// current state.
#[Object]
impl ProposalStats {
    /// Position of the log that all these numbers are of. A subscription with it as `after`
    /// delivers every event that they do not have yet.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// How many proposals have each status, and their amounts. A status that none has is left out.
    async fn by_status(&self) -> Vec<Selected<ProposalStatusStats>> {
        by_status(&self.groups, &self.paid, self.arcsite_currency.as_deref()).into_iter().map(Selected).collect()
    }

    /// How far the proposals came, by the time of their creation and by vendor, oldest first. A
    /// bucket in which a vendor has no proposal is left out. At most 1,000 buckets from the first
    /// proposal to the last one. A proposal whose creation is said to be before 1970 or after the
    /// newest event is left out, unless `from` or `before` asks for such a time.
    async fn funnel(
        &self,
        #[graphql(
            desc = "The length of a bucket, in the time zone of `proposalStats`.",
            default_with = "TimeBucket::Month"
        )]
        bucket: TimeBucket,
    ) -> Result<Vec<Selected<FunnelBucket>>> {
        let funnel = self.funnels.get(&bucket.into()).ok_or_else(|| ApiError::Internal.into_graphql_error())?;
        Ok(funnel.iter().cloned().map(Selected).collect())
    }

    /// How long the accepted proposals took, from their `sentAt` to their `decidedAt`. One without
    /// both times does not count, and one that was decided before it was sent took no time.
    async fn time_to_accept(&self) -> Selected<DurationStats> {
        Selected(DurationStats::of(self.seconds_to_accept.clone()))
    }

    /// At which hours of the week clients looked at the proposals (Bidsketch), in the time zone of
    /// `proposalStats`. A view counts at the time that `Proposal.firstViewedAt` describes. An hour
    /// without a view is left out.
    async fn views_by_hour(&self) -> Vec<Selected<HourCount>> {
        views_by_hour(&self.views, &self.zone).into_iter().map(Selected).collect()
    }
}

/// The proposals that have one status.
#[derive(SimpleObject)]
pub(crate) struct ProposalStatusStats {
    /// Their status; null for those that have none, or one that is not documented.
    status: Option<ProposalStatus>,
    /// How many there are, of all vendors that count.
    count: i64,
    /// The sums of their totals, one for each currency, which are never added up. A proposal
    /// without a total adds nothing.
    totals: Vec<Selected<CurrencyAmount>>,
    /// The sums of the payments on them, one for each currency (ArcSite). Bidsketch reports no
    /// payments.
    paid: Vec<Selected<CurrencyAmount>>,
}

/// An amount of money in one currency.
#[derive(SimpleObject)]
#[graphql(name = "Money")]
pub(crate) struct CurrencyAmount {
    /// The currency as ISO 4217 code: `USD`. ArcSite names none: its amounts are in the currency of
    /// the setting `arcsite.currency`, or have null without it. Amounts of Bidsketch without a
    /// currency have null too, in an entry of their own.
    currency: Option<String>,
    /// The amount, exactly.
    amount: ScalarText<Decimal>,
}

/// The proposals of a vendor that were created in a bucket of time.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct FunnelBucket {
    /// When the bucket begins. It may be before the `from` of `proposalStats`.
    start: DateTime,
    /// The vendor.
    provider: Provider,
    /// How many were created in it.
    created: i64,
    /// How many of those were sent by now: `sentAt` is not null.
    sent: i64,
    /// How many of those were viewed by now: `firstViewedAt` is not null. Null for ArcSite, which
    /// reports no views.
    viewed: Option<i64>,
    /// How many of those are accepted now.
    accepted: i64,
}

/// How long something took.
#[derive(Debug, SimpleObject)]
pub(crate) struct DurationStats {
    /// How many cases there are.
    count: i64,
    /// The median in whole seconds: the middle one, or the mean of the two in the middle, rounded
    /// down. Null without a case.
    median_seconds: Option<i64>,
    /// Nine of ten took at most so many seconds: the smallest value of which that is true. Null
    /// without a case.
    p90_seconds: Option<i64>,
}

/// An hour of the week.
#[derive(Debug, SimpleObject)]
pub(crate) struct HourCount {
    /// The day of the week: 1 for Monday to 7 for Sunday.
    weekday: i32,
    /// The hour of the day: 0 to 23.
    hour: i32,
    /// How many there were; at least one.
    count: i64,
}

/// The events of a vendor and a kind that were received in a bucket of time.
#[derive(Debug, SimpleObject)]
pub(crate) struct EventBucket {
    /// When the bucket begins. It may be before `from`.
    start: DateTime,
    /// The vendor.
    provider: Provider,
    /// The kind.
    kind: EventKind,
    /// How many events there are; at least one.
    count: i64,
}

/// The entries of `byStatus`, in the order of the statuses; those without one come last.
fn by_status(groups: &[GroupInBucket], paid: &[GroupPaid], arcsite_currency: Option<&str>) -> Vec<ProposalStatusStats> {
    let mut statuses: Vec<Option<domain::ProposalStatus>> = groups.iter().map(|cell| cell.group.status).collect();
    statuses.sort_by_key(|status| (status.is_none(), *status));
    statuses.dedup();
    let entry = |status: Option<domain::ProposalStatus>| {
        let of_status = || groups.iter().filter(move |cell| cell.group.status == status);
        let totals = of_status().filter_map(|cell| Some((&cell.group, cell.total?)));
        let paid = paid.iter().filter(|paid| paid.group.status == status).map(|paid| (&paid.group, paid.paid));
        ProposalStatusStats {
            status: status.map(ProposalStatus::from),
            count: of_status().map(|cell| cell.created).sum(),
            totals: amounts(totals, arcsite_currency),
            paid: amounts(paid, arcsite_currency),
        }
    };
    statuses.into_iter().map(entry).collect()
}

/// One sum for each currency. The unknown currencies of two vendors may differ.
fn amounts<'a>(
    sums: impl Iterator<Item = (&'a Group, i128)>,
    arcsite_currency: Option<&str>,
) -> Vec<Selected<CurrencyAmount>> {
    let mut amounts: BTreeMap<(Option<String>, Option<domain::Provider>), i128> = BTreeMap::new();
    for (group, sum) in sums {
        let of_office = arcsite_currency.filter(|_| group.provider == domain::Provider::Arcsite).map(str::to_owned);
        let currency = group.currency.clone().or(of_office);
        let provider = if currency.is_none() { Some(group.provider) } else { None };
        *amounts.entry((currency, provider)).or_default() += sum;
    }
    let amount = |((currency, _), sum)| {
        Selected(CurrencyAmount { currency, amount: ScalarText::new(domain::money::decimal(sum)) })
    };
    amounts.into_iter().map(amount).collect()
}

/// The entries of a funnel, by bucket and vendor.
pub(crate) fn funnel(cells: &[GroupInBucket], buckets: &[Bucket]) -> Vec<FunnelBucket> {
    let mut entries: BTreeMap<(usize, domain::Provider), FunnelBucket> = BTreeMap::new();
    for cell in cells {
        let (provider, Some(bucket)) = (cell.group.provider, buckets.get(cell.bucket)) else { continue };
        let entry = entries.entry((cell.bucket, provider)).or_insert_with(|| FunnelBucket {
            start: Micros(bucket.start).into(),
            provider: provider.into(),
            created: 0,
            sent: 0,
            viewed: (provider == domain::Provider::Bidsketch).then_some(0),
            accepted: 0,
        });
        entry.created += cell.created;
        entry.sent += cell.sent;
        entry.viewed = entry.viewed.map(|viewed| viewed + cell.viewed);
        if cell.group.status == Some(domain::ProposalStatus::Accepted) {
            entry.accepted += cell.created;
        }
    }
    entries.into_values().collect()
}

/// The entries of `eventStats`.
pub(crate) fn event_buckets(counts: Vec<EventCount>, buckets: &[Bucket]) -> Vec<Selected<EventBucket>> {
    let entry = |count: EventCount| {
        let start = Micros(buckets.get(count.bucket)?.start).into();
        let (provider, kind) = (count.provider.into(), count.kind.into());
        Some(Selected(EventBucket { start, provider, kind, count: count.count }))
    };
    counts.into_iter().filter_map(entry).collect()
}

impl DurationStats {
    /// The statistics of these numbers of seconds, of which none is less than 0.
    fn of(mut seconds: Vec<i64>) -> Self {
        for seconds in &mut seconds {
            *seconds = (*seconds).max(0);
        }
        seconds.sort_unstable();
        let at = |index: usize| seconds.get(index).copied();
        let count = seconds.len();
        let middle = at(count.saturating_sub(1) / 2).zip(at(count / 2));
        Self {
            count: i64::try_from(count).unwrap_or(i64::MAX),
            median_seconds: middle.map(|(lower, upper)| lower + (upper - lower) / 2),
            p90_seconds: at((count * 9).div_ceil(10).saturating_sub(1)),
        }
    }
}

/// The views of each hour of the week in a zone, from Monday on.
fn views_by_hour(views: &[(i64, i64)], zone: &TimeZone) -> Vec<HourCount> {
    let mut hours: BTreeMap<(u8, u8), i64> = BTreeMap::new();
    for (slot, count) in views {
        if let Some(hour) = zone.weekday_and_hour(slot.saturating_mul(VIEW_SLOT_MICROS)) {
            *hours.entry(hour).or_default() += count;
        }
    }
    hours
        .into_iter()
        .map(|((weekday, hour), count)| HourCount { weekday: weekday.into(), hour: hour.into(), count })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_percentile_are_those_of_the_sorted_values() {
        let of = |seconds: &[i64]| {
            let stats = DurationStats::of(seconds.to_vec());
            (stats.count, stats.median_seconds, stats.p90_seconds)
        };
        assert_eq!(of(&[]), (0, None, None));
        assert_eq!(of(&[7]), (1, Some(7), Some(7)));
        assert_eq!(of(&[9, 4]), (2, Some(6), Some(9)));
        assert_eq!(of(&[-5, 1, 2]), (3, Some(1), Some(2)));
        assert_eq!(of(&(1..=10).rev().collect::<Vec<_>>()), (10, Some(5), Some(9)));
        assert_eq!(of(&(1..=11).collect::<Vec<_>>()), (11, Some(6), Some(10)));
    }
}
