//! The service itself.

use async_graphql::{Context, Object, Result};

use crate::graphql::execution::selection::Selected;
use crate::graphql::schema::model::service::{Service, ServiceFacts};

#[derive(Default)]
pub struct ServiceQuery;

#[Object]
impl ServiceQuery {
    /// This service: its version, its settings that matter to clients, and its two vendors.
    async fn service(&self, ctx: &Context<'_>) -> Result<Selected<Service>> {
        Ok(Selected(Service(ctx.data::<ServiceFacts>()?.clone())))
    }
}
