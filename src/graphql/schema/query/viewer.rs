//! Who sends a request.

use async_graphql::{Context, Object, Result};

use crate::auth::{Access, Keys};
use crate::graphql::execution::selection::Selected;
use crate::graphql::schema::model::viewer::Viewer;

#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Who sends this request: the key and what it may do.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Selected<Viewer>> {
        Ok(Selected(ctx.data::<Keys>()?.viewer(*ctx.data::<Access>()?).into()))
    }
}
