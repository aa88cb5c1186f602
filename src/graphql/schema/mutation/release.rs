//! Releasing quarantined deliveries.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::domain::NodeId;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::selection::{Selectable, Selected};
use crate::graphql::loader::{DeliveryKey, EventKey};
use crate::graphql::schema::model::user_error::{UserError, UserErrorCode};
use crate::graphql::schema::model::{Delivery, Event, load};
use crate::ingest::release::{ReleaseResult, Releaser};
use crate::store::read::{DeliveryRow, EventRow};
use crate::store::sql::json_rows::ReadRow;

/// Which delivery to release.
#[derive(InputObject)]
pub(crate) struct ReleaseQuarantinedDeliveryInput {
    /// The delivery's node id: `delivery:42`.
    id: ID,
}

/// What became of a release.
#[derive(SimpleObject)]
pub(crate) struct ReleaseQuarantinedDeliveryPayload {
    /// The delivery, as it is now; null where there is no such one.
    delivery: Option<Selected<Delivery>>,
    /// The event that it made or repeats.
    event: Option<Selected<Event>>,
    /// What stood in the way; empty where it was released.
    user_errors: Vec<UserError>,
}

impl Selectable for ReleaseQuarantinedDeliveryPayload {}

#[derive(Default)]
pub struct ReleaseMutation;

#[Object]
impl ReleaseMutation {
    /// Runs a quarantined delivery through today's code again. It keeps the time at which it came and the reason why it was in
    /// quarantine; the age of its signature does not matter any more.
    async fn release_quarantined_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which delivery to release.")] input: ReleaseQuarantinedDeliveryInput,
    ) -> Result<Selected<ReleaseQuarantinedDeliveryPayload>> {
        let Ok(NodeId::Delivery(id)) = input.id.parse() else {
            let problem = format!("`id` must be a delivery's node id like delivery:42, it is {:?}", input.id.as_str());
            return Err(ApiError::BadUserInput(problem).into_graphql_error());
        };
        let release = ctx.data::<Releaser>()?.release(id).await.or_api_error()?;
        let delivery = load(ctx, DeliveryKey(id, DeliveryRow::ALL)).await?;
        let event = match delivery.as_ref().and_then(|delivery| delivery.event_seq) {
            Some(seq) => load(ctx, EventKey(seq, EventRow::ALL)).await?.map(|row| Selected(Event::from(row))),
            None => None,
        };
        let problem = match release {
            ReleaseResult::Released(_) => None,
            ReleaseResult::AlreadyReleased => {
                Some((UserErrorCode::AlreadyReleased, "this delivery has been released before".to_owned()))
            }
            ReleaseResult::NotFound => Some((UserErrorCode::NotFound, "no such delivery is in quarantine".to_owned())),
            ReleaseResult::StillInvalid(detail) => Some((UserErrorCode::StillInvalid, detail)),
        };
        let found = problem.as_ref().is_none_or(|(code, _)| *code != UserErrorCode::NotFound);
        Ok(Selected(ReleaseQuarantinedDeliveryPayload {
            delivery: delivery.filter(|_| found).map(|row| Selected(Delivery(row))),
            event: event.filter(|_| found),
            user_errors: problem
                .into_iter()
                .map(|(code, message)| UserError::new(code, message, &["input", "id"]))
                .collect(),
        }))
    }
}
