//! Numbers over proposals and events.

use std::collections::HashMap;

use async_graphql::{Context, Object, Result, Value};

use crate::domain::{self, Bucket, BucketError, TimeZone};
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError, excerpt};
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::cursor;
use crate::graphql::schema::input::{EventFilter, to_domain_list};
use crate::graphql::schema::model::enums::{Provider, TimeBucket};
use crate::graphql::schema::model::scalar::DateTime;
use crate::graphql::schema::model::stats::{BUCKETS_MAX, EventBucket, ProposalStats, event_buckets, funnel};
use crate::store::read::event_stats::count_events;
use crate::store::read::proposal_stats::{ProposalSnapshot, StatsFilter};
use crate::store::{Reader, read};

#[derive(Default)]
pub struct StatsQuery;

#[Object]
impl StatsQuery {
    /// Numbers over the proposals that were created in a range of time: `createdAt`, or
    /// `firstSeenAt` where the vendor gives none. All numbers of one answer are of one moment, and
    /// `cursor` says which. Select only those that you need: each costs a query of its own.
    async fn proposal_stats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only the proposals that were created at this time or later.")] from: Option<DateTime>,
        #[graphql(desc = "Only the proposals that were created before this time.")] before: Option<DateTime>,
        #[graphql(
            desc = "The time zone of days, weeks, months and hours, by its IANA name: `America/Denver`.",
            default = "UTC"
        )]
        time_zone: String,
        #[graphql(desc = "Only the proposals of these vendors.")] provider: Option<Vec<Provider>>,
    ) -> Result<Selected<ProposalStats>> {
        let zone = parse_time_zone(&time_zone).or_api_error()?;
        check_range(from, before).or_api_error()?;
        let filter = StatsFilter {
            from: from.map(|time| time.0),
            before: before.map(|time| time.0),
            providers: to_domain_list(provider),
        };
        // Boxed: the future of a field is as large as the largest among the fields of its object.
        Box::pin(read_proposal_stats(ctx, filter, zone)).await.map(Selected)
    }

    /// How many events were received in each bucket of time, by vendor and kind, oldest first. A
    /// bucket without an event is left out.
    async fn event_stats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions on the events; all that are given must hold.")] filter: Option<EventFilter>,
        #[graphql(desc = "Only the events whose `receivedAt` is this time or later.")] from: DateTime,
        #[graphql(desc = "Only the events whose `receivedAt` is before this time.")] before: DateTime,
        #[graphql(desc = "The length of a bucket. There may be at most 1,000 buckets from `from` to `before`.")]
        bucket: TimeBucket,
        #[graphql(
            desc = "The time zone of hours, days, weeks and months, by its IANA name: `America/Denver`.",
            default = "UTC"
        )]
        time_zone: String,
    ) -> Result<Vec<Selected<EventBucket>>> {
        let zone = parse_time_zone(&time_zone).or_api_error()?;
        check_range(Some(from), Some(before)).or_api_error()?;
        let filter = read::EventFilter::try_from(filter.unwrap_or_default()).or_api_error()?;
        let range = (from.0.timestamp_micros(), before.0.timestamp_micros());
        let buckets = buckets(&zone, bucket.into(), range, "`from` and `before` are").or_api_error()?;
        let counts = count_events(ctx.data::<Reader>()?, &filter, &buckets).await.or_api_error()?;
        Ok(event_buckets(counts, &buckets))
    }
}

/// Reads the numbers that are selected, from one snapshot.
async fn read_proposal_stats(ctx: &Context<'_>, filter: StatsFilter, zone: TimeZone) -> Result<ProposalStats> {
    let api = ctx.data::<Api>()?;
    let is_selected = |name: &str| ctx.field().selection_set().any(|field| field.name() == name);
    let snapshot = ProposalSnapshot::take(ctx.data::<Reader>()?, &filter).await.or_api_error()?;
    let (mut funnels, mut groups) = (HashMap::new(), None);
    for length in selected_funnels(ctx)? {
        let buckets = match snapshot.span() {
            Some((first, last)) => buckets(&zone, length, (first, last + 1), "the proposals are").or_api_error()?,
            None => Vec::new(),
        };
        let cells = snapshot.in_buckets(&buckets).await.or_api_error()?;
        funnels.insert(length, funnel(&cells, &buckets));
        // The buckets of a funnel have all proposals.
        groups = (!snapshot.has_odd_creations()).then_some(cells);
    }
    let (groups, paid) = match (is_selected("byStatus"), groups) {
        (true, Some(groups)) => (groups, snapshot.paid().await.or_api_error()?),
        (true, None) => (snapshot.in_whole_range().await.or_api_error()?, snapshot.paid().await.or_api_error()?),
        (false, _) => (Vec::new(), Vec::new()),
    };
    let seconds_to_accept =
        if is_selected("timeToAccept") { snapshot.seconds_to_accept().await.or_api_error()? } else { Vec::new() };
    let views = if is_selected("viewsByHour") { snapshot.views().await.or_api_error()? } else { Vec::new() };
    let head = snapshot.head();
    snapshot.end().await.or_api_error()?;
    Ok(ProposalStats {
        cursor: cursor::encode_event(api.store.log_id(), head),
        groups,
        paid,
        arcsite_currency: api.arcsite_currency.clone(),
        funnels,
        seconds_to_accept,
        views,
        zone,
    })
}

/// The lengths of buckets for which a funnel is selected, each once.
fn selected_funnels(ctx: &Context<'_>) -> Result<Vec<domain::TimeBucket>> {
    let mut lengths = Vec::new();
    for field in ctx.field().selection_set().filter(|field| field.name() == "funnel") {
        let bucket = field.arguments()?.into_iter().find(|(name, _)| name == "bucket");
        let length = match bucket {
            Some((_, Value::Enum(name))) => domain::TimeBucket::from_name(&name),
            Some((_, Value::String(name))) => domain::TimeBucket::from_name(&name),
            _ => Some(domain::TimeBucket::Month),
        };
        lengths.extend(length.filter(|length| !lengths.contains(length)));
    }
    Ok(lengths)
}

fn parse_time_zone(name: &str) -> std::result::Result<TimeZone, ApiError> {
    TimeZone::from_name(name).ok_or_else(|| {
        let name = excerpt(name);
        ApiError::BadUserInput(format!(
            "`timeZone` must be the IANA name of a time zone such as America/Denver, it is {name:?}"
        ))
    })
}

fn check_range(from: Option<DateTime>, before: Option<DateTime>) -> std::result::Result<(), ApiError> {
    match (from, before) {
        (Some(from), Some(before)) if from.0 >= before.0 => {
            Err(ApiError::BadUserInput("`from` must be earlier than `before`".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The buckets of a range. `subject` says what lies too far apart if there are too many.
fn buckets(
    zone: &TimeZone,
    length: domain::TimeBucket,
    (from, before): (i64, i64),
    subject: &str,
) -> std::result::Result<Vec<Bucket>, ApiError> {
    zone.buckets(length, from, before, BUCKETS_MAX).map_err(|error| {
        ApiError::BadUserInput(match error {
            BucketError::TooMany => {
                format!("`bucket` is too short: {subject} more than {BUCKETS_MAX} buckets apart; give a longer `bucket`, or `from` and `before` that are closer")
            }
            BucketError::OutOfCalendar => "`from` and `before` must be in the calendar of `timeZone`".to_owned(),
        })
    })
}
