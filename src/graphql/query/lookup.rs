//! Objects by the vendors' own ids.

use async_graphql::{Context, Object, Result};

use crate::domain::VendorId;
use crate::graphql::loader::{ClientKey, DrawingKey, ProjectKey, ProposalKey};
use crate::graphql::model::enums::Provider;
use crate::graphql::model::{Client, Drawing, Project, Proposal, load};

#[derive(Default)]
pub struct LookupQuery;

#[Object]
impl LookupQuery {
    /// The ArcSite project with this id; null where none has been seen.
    async fn project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ArcSite's own id, as text: \"36029621652695040\".")] vendor_id: String,
    ) -> Result<Option<Project>> {
        match VendorId::new(vendor_id) {
            Some(id) => Ok(load(ctx, ProjectKey(id)).await?.map(Project)),
            None => Ok(None),
        }
    }

    /// The ArcSite drawing with this id; null where none has been seen.
    async fn drawing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ArcSite's own id, as text.")] vendor_id: String,
    ) -> Result<Option<Drawing>> {
        match VendorId::new(vendor_id) {
            Some(id) => Ok(load(ctx, DrawingKey(id)).await?.map(Drawing)),
            None => Ok(None),
        }
    }

    /// The Bidsketch client with this id; null where none has been seen.
    async fn client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Bidsketch's own id, as text: \"4815162342\".")] vendor_id: String,
    ) -> Result<Option<Client>> {
        match VendorId::new(vendor_id) {
            Some(id) => Ok(load(ctx, ClientKey(id)).await?.map(Client)),
            None => Ok(None),
        }
    }

    /// The proposal of this vendor with this id; null where none has been seen.
    async fn proposal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose proposal it is.")] provider: Provider,
        #[graphql(desc = "The vendor's own id, as text.")] vendor_id: String,
    ) -> Result<Option<Proposal>> {
        match VendorId::new(vendor_id) {
            Some(id) => Ok(load(ctx, ProposalKey(provider.into(), id)).await?.map(Proposal)),
            None => Ok(None),
        }
    }
}
