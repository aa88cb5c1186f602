//! The totals of lists, each counted when it is selected.

use async_graphql::{Context, Result};

use crate::domain::WebhookState;
use crate::graphql::error::OrApiError;
use crate::graphql::loader::ChildCountKey;
use crate::graphql::schema::model::load;
use crate::store::read::{
    ClientFilter, DeliveryFilter, DeliveryRow, DrawingFilter, DrawingRow, EventFilter, EventRow, Filterable,
    PaymentFilter, PaymentRow, ProjectFilter, ProposalFilter, ProposalRow, Quarantine, list,
};
use crate::store::{Reader, audit, webhooks};

/// The rows that `totalCount` counts: those of the list that a connection is a page of.
pub(crate) enum TotalCount {
    Events(EventFilter),
    Projects(ProjectFilter),
    Drawings(DrawingFilter),
    Clients(ClientFilter),
    Proposals(ProposalFilter),
    Quarantine(Quarantine),
    Deliveries(DeliveryFilter),
    Payments(PaymentFilter),
    Webhooks(Vec<WebhookState>),
    Audit(audit::Filter),
    ChildEvents(ChildCountKey<EventRow>),
    ChildDrawings(ChildCountKey<DrawingRow>),
    ChildProposals(ChildCountKey<ProposalRow>),
    ChildDeliveries(ChildCountKey<DeliveryRow>),
    ChildPayments(ChildCountKey<PaymentRow>),
}

impl TotalCount {
    /// Counts them.
    pub(super) async fn count(&self, ctx: &Context<'_>) -> Result<u64> {
        match self {
            Self::Events(filter) => count_rows(ctx, filter).await,
            Self::Projects(filter) => count_rows(ctx, filter).await,
            Self::Drawings(filter) => count_rows(ctx, filter).await,
            Self::Clients(filter) => count_rows(ctx, filter).await,
            Self::Proposals(filter) => count_rows(ctx, filter).await,
            Self::Quarantine(filter) => count_rows(ctx, filter).await,
            Self::Deliveries(filter) => count_rows(ctx, filter).await,
            Self::Payments(filter) => count_rows(ctx, filter).await,
            Self::Webhooks(states) => webhooks::count_in_states(ctx.data::<Reader>()?, states).await.or_api_error(),
            Self::Audit(filter) => audit::count(ctx.data::<Reader>()?, filter).await.or_api_error(),
            Self::ChildEvents(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildDrawings(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildProposals(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildDeliveries(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
            Self::ChildPayments(key) => Ok(load(ctx, key.clone()).await?.unwrap_or_default()),
        }
    }
}

async fn count_rows<F: Filterable>(ctx: &Context<'_>, filter: &F) -> Result<u64> {
    list::count_matching(ctx.data::<Reader>()?, filter).await.or_api_error()
}

/// Defines how the list of each filter is counted.
macro_rules! impl_into_total_count {
    ($($from:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$from> for TotalCount {
            fn from(rows: $from) -> Self {
                Self::$variant(rows)
            }
        })+
    };
}

impl_into_total_count! {
    EventFilter => Events,
    ProjectFilter => Projects,
    DrawingFilter => Drawings,
    ClientFilter => Clients,
    ProposalFilter => Proposals,
    Quarantine => Quarantine,
    DeliveryFilter => Deliveries,
    PaymentFilter => Payments,
    ChildCountKey<EventRow> => ChildEvents,
    ChildCountKey<DrawingRow> => ChildDrawings,
    ChildCountKey<ProposalRow> => ChildProposals,
    ChildCountKey<DeliveryRow> => ChildDeliveries,
    ChildCountKey<PaymentRow> => ChildPayments,
}
