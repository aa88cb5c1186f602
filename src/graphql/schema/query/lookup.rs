//! The lookups by the vendors' own ids.

use async_graphql::{Context, Object, Result};

use crate::domain::VendorId;
use crate::graphql::execution::selection::Selected;
use crate::graphql::schema::model::enums::Provider;
use crate::graphql::schema::model::{Client, Drawing, Project, Proposal, load_by_vendor_id, load_proposal};

#[derive(Default)]
pub struct LookupQuery;

#[Object]
impl LookupQuery {
    /// The ArcSite project with this id; null if no event of the project itself has arrived.
    async fn project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ArcSite's own id of the project, as text: \"36029621652695040\".")] vendor_id: String,
    ) -> Result<Option<Selected<Project>>> {
        Ok(load_by_vendor_id(ctx, VendorId::new(vendor_id).as_ref()).await?.map(|row| Selected(Project(row))))
    }

    /// The ArcSite drawing with this id; null if no event of the drawing itself has arrived.
    async fn drawing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ArcSite's own id of the drawing, as text: \"36029621652695041\".")] vendor_id: String,
    ) -> Result<Option<Selected<Drawing>>> {
        Ok(load_by_vendor_id(ctx, VendorId::new(vendor_id).as_ref()).await?.map(|row| Selected(Drawing(row))))
    }

    /// The Bidsketch client with this id; null if no event of the client itself has arrived.
    async fn client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Bidsketch's own id of the client, as text: \"4815162342\".")] vendor_id: String,
    ) -> Result<Option<Selected<Client>>> {
        Ok(load_by_vendor_id(ctx, VendorId::new(vendor_id).as_ref()).await?.map(|row| Selected(Client(row))))
    }

    /// The proposal of this vendor with this id; null if no event of the proposal itself has
    /// arrived.
    async fn proposal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vendor whose proposal it is. Two vendors may use the same id.")] provider: Provider,
        #[graphql(desc = "The vendor's own id of the proposal, as text: \"11051955\".")] vendor_id: String,
    ) -> Result<Option<Selected<Proposal>>> {
        let id = VendorId::new(vendor_id);
        Ok(load_proposal(ctx, provider.into(), id.as_ref()).await?.map(|row| Selected(Proposal(row))))
    }
}
