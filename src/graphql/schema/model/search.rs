//! What a search finds.

use async_graphql::{Context, ContextSelectionSet, Result, ServerResult, Union};
use futures_util::future::BoxFuture;

use super::{Client, Drawing, Project, Proposal, load_by_vendor_id, load_proposal};
use crate::graphql::execution::selection::{Fields, JsonText, Selectable};
use crate::store::read::search::Found;

/// An object that a search found.
#[derive(Union)]
#[expect(clippy::large_enum_variant, reason = "few exist at a time, and most rows of a page are of one type")]
pub(crate) enum SearchResult {
    Project(Project),
    Client(Client),
    Proposal(Proposal),
    Drawing(Drawing),
}

impl Selectable for SearchResult {
    fn collect<'a>(_: &ContextSelectionSet<'a>) -> ServerResult<Option<Fields<'a>>> {
        Ok(None)
    }

    fn select<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        _: Option<&'a Fields<'a>>,
    ) -> BoxFuture<'a, ServerResult<JsonText>> {
        match self {
            Self::Project(node) => node.select(ctx, None),
            Self::Client(node) => node.select(ctx, None),
            Self::Proposal(node) => node.select(ctx, None),
            Self::Drawing(node) => node.select(ctx, None),
        }
    }
}

/// Loads an object that was found.
pub(crate) async fn load_found(ctx: &Context<'_>, found: Found) -> Result<Option<SearchResult>> {
    Ok(match found {
        Found::Project(id) => load_by_vendor_id(ctx, Some(&id)).await?.map(|row| Project(row).into()),
        Found::Client(id) => load_by_vendor_id(ctx, Some(&id)).await?.map(|row| Client(row).into()),
        Found::Drawing(id) => load_by_vendor_id(ctx, Some(&id)).await?.map(|row| Drawing(row).into()),
        Found::Proposal(provider, id) => load_proposal(ctx, provider, Some(&id)).await?.map(|row| Proposal(row).into()),
    })
}
