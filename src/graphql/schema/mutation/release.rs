//! `releaseQuarantinedDelivery` and `releaseQuarantinedDeliveries`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::audit::{begin_audit, show_node_id};
use crate::domain::{DeliveryOutcome, NodeId};
use crate::graphql::error::{ApiError, OrApiError, excerpt};
use crate::graphql::execution::selection::{Selectable, Selected};
use crate::graphql::loader::{DeliveryKey, EventKey};
use crate::graphql::schema::input::DeliveryFilter;
use crate::graphql::schema::model::user_error::{UserError, UserErrorCode};
use crate::graphql::schema::model::{self, Delivery, Event, load};
use crate::ingest::release::{ReleaseResult, Releaser};
use crate::store::read::{self, DeliveryRow, EventRow};
use crate::store::sql::json_rows::ReadRow;

/// Input of `releaseQuarantinedDelivery`: which delivery to try again.
#[derive(InputObject)]
pub(crate) struct ReleaseQuarantinedDeliveryInput {
    /// Node id of the delivery, from `quarantinedDeliveries`: `delivery:42`.
    id: ID,
}

/// Result of `releaseQuarantinedDelivery`: the delivery and its event, or `userErrors` that say why
/// it was not released.
#[derive(SimpleObject)]
pub(crate) struct ReleaseQuarantinedDeliveryPayload {
    /// The delivery as it is after the mutation; null if it was never in quarantine.
    delivery: Option<Selected<Delivery>>,
    /// The event that it created or repeats, also if it was released before; null if it still
    /// cannot become one.
    event: Option<Selected<Event>>,
    /// Why it was not released: ALREADY_RELEASED, NOT_FOUND or STILL_INVALID; empty if it was
    /// released.
    user_errors: Vec<UserError>,
}

impl Selectable for ReleaseQuarantinedDeliveryPayload {}

/// Input of `releaseQuarantinedDeliveries`.
#[derive(InputObject)]
pub(crate) struct ReleaseQuarantinedDeliveriesInput {
    /// Which of the deliveries in quarantine to release; an empty filter means all. `outcome` can
    /// only be QUARANTINED.
    filter: DeliveryFilter,
}

/// Result of `releaseQuarantinedDeliveries`. Each delivery that matched the filter is counted once.
#[derive(SimpleObject)]
pub(crate) struct ReleaseQuarantinedDeliveriesPayload {
    /// How many became an event or a redelivery.
    released: u64,
    /// How many still cannot become an event. They stay in quarantine, and the next call tries them
    /// again.
    still_invalid: u64,
    /// How many this call did not come to. If there are any, call again.
    remaining: u64,
    /// STILL_INVALID for the first 20 that still cannot become an event, with the reason of each.
    user_errors: Vec<UserError>,
}

impl Selectable for ReleaseQuarantinedDeliveriesPayload {}

#[derive(Default)]
pub struct ReleaseMutation;

#[Object]
impl ReleaseMutation {
    /// Runs a quarantined delivery through today's code again, so that it becomes an event or a
    /// redelivery. It keeps its time of arrival and the reason why it was quarantined. The age of
    /// its signature is not checked again.
    async fn release_quarantined_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The delivery to release.")] input: ReleaseQuarantinedDeliveryInput,
    ) -> Result<Selected<ReleaseQuarantinedDeliveryPayload>> {
        let audit = begin_audit(ctx, "releaseQuarantinedDelivery", show_node_id(&input.id))?;
        let Ok(NodeId::Delivery(id)) = input.id.parse() else {
            let problem =
                format!("`id` must be the node id of a delivery such as delivery:42, it is {:?}", excerpt(&input.id));
            return Err(ApiError::BadUserInput(problem).into_graphql_error());
        };
        let release = ctx.data::<Releaser>()?.release(id, &audit).await.or_api_error()?;
        let delivery = load(ctx, DeliveryKey(id, DeliveryRow::ALL)).await?;
        let event =
            match delivery.as_ref().map(|delivery| model::read(&delivery.event_seq)).transpose()?.copied().flatten() {
                Some(seq) => load(ctx, EventKey(seq, EventRow::ALL)).await?.map(|row| Selected(Event::from(row))),
                None => None,
            };
        let problem = match release {
            ReleaseResult::Released(_) => None,
            ReleaseResult::AlreadyReleased => {
                Some((UserErrorCode::AlreadyReleased, "this delivery was released before".to_owned()))
            }
            ReleaseResult::NotFound => Some((UserErrorCode::NotFound, "no such delivery is in quarantine".to_owned())),
            ReleaseResult::StillInvalid(detail) => Some((UserErrorCode::StillInvalid, detail)),
        };
        let exists = problem.as_ref().is_none_or(|(code, _)| *code != UserErrorCode::NotFound);
        Ok(Selected(ReleaseQuarantinedDeliveryPayload {
            delivery: delivery.filter(|_| exists).map(|row| Selected(Delivery(row))),
            event: event.filter(|_| exists),
            user_errors: problem
                .into_iter()
                .map(|(code, message)| UserError::new(code, message, &["input", "id"]))
                .collect(),
        }))
    }

    /// Releases the quarantined deliveries that match a filter, as `releaseQuarantinedDelivery`
    /// does each: oldest first, at most 1,000 a call. After an error some of them may be released.
    async fn release_quarantined_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deliveries to release.")] input: ReleaseQuarantinedDeliveriesInput,
    ) -> Result<Selected<ReleaseQuarantinedDeliveriesPayload>> {
        let audit = begin_audit(ctx, "releaseQuarantinedDeliveries", "the deliveries of a filter")?;
        let filter = read::DeliveryFilter::from(input.filter);
        let is_releasable = |outcome: &DeliveryOutcome| *outcome == DeliveryOutcome::Quarantined;
        if !filter.outcomes.as_ref().is_none_or(|outcomes| outcomes.iter().all(is_releasable)) {
            let problem = "`filter.outcome` can only be [QUARANTINED]: no other delivery can be released";
            return Err(ApiError::BadUserInput(problem.to_owned()).into_graphql_error());
        }
        let releases = ctx.data::<Releaser>()?.release_matching(&filter, &audit).await.or_api_error()?;
        let user_error = |(id, detail): &(i64, String)| {
            let message = format!("{}: {detail}", NodeId::Delivery(*id));
            UserError::new(UserErrorCode::StillInvalid, message, &["input", "filter"])
        };
        Ok(Selected(ReleaseQuarantinedDeliveriesPayload {
            released: releases.released,
            still_invalid: releases.still_invalid,
            remaining: releases.remaining,
            user_errors: releases.problems.iter().map(user_error).collect(),
        }))
    }
}
