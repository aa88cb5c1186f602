//! The lookups by node id.

use async_graphql::{Context, ID, Object, Result};

use crate::domain::NodeId;
use crate::graphql::error::{ApiError, OrApiError, excerpt};
use crate::graphql::execution::look_ahead::node_columns;
use crate::graphql::execution::selection::Selected;
use crate::graphql::loader::{DeliveryKey, EventKey, FileKey, PaymentKey};
use crate::graphql::schema::model::audit::check_may_read;
use crate::graphql::schema::model::file::vault;
use crate::graphql::schema::model::{
    AuditEntry, BidsketchWebhook, Client, Delivery, Drawing, Event, Node, Payment, Project, Proposal, StoredFile, load,
    load_by_vendor_id, load_proposal,
};
use crate::store::read::{DeliveryRow, EventRow, FileRow, PaymentRow};
use crate::store::{Reader, audit, webhooks};

/// The largest number of ids in `nodes`.
const NODE_IDS_MAX: usize = 100;

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this node id; null if there is none.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A node id, as the field `id` of every object has it: `project:36029621652695040`.")] id: ID,
    ) -> Result<Option<Selected<Node>>> {
        load_node(ctx, parse_node_id(&id).or_api_error()?).await
    }

    /// The objects with these node ids, in the same order; null in place of each that does not
    /// exist. A text that is not a node id gives null in its place too, and an error with that
    /// place as its path.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Node ids, at most 100, of any types.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Selected<Node>>>> {
        if ids.len() > NODE_IDS_MAX {
            let problem = format!("`ids` may have at most {NODE_IDS_MAX} ids, it has {}", ids.len());
            return Err(ApiError::BadUserInput(problem).into_graphql_error());
        }
        let nodes = ids.iter().enumerate().map(async |(index, id)| match parse_node_id(id) {
            Ok(id) => load_node(ctx, id).await,
            Err(problem) => {
                let error = problem.into_graphql_error().into_server_error(ctx.item.pos);
                ctx.add_error(ctx.with_index(index).set_error_path(error));
                Ok(None)
            }
        });
        futures_util::future::try_join_all(nodes).await
    }
}

fn parse_node_id(id: &ID) -> std::result::Result<NodeId, ApiError> {
    id.parse().map_err(|problem| ApiError::BadUserInput(format!("{problem}; this is {:?}", excerpt(id))))
}

async fn load_node(ctx: &Context<'_>, id: NodeId) -> Result<Option<Selected<Node>>> {
    let node: Option<Node> = match id {
        NodeId::Project(id) => load_by_vendor_id(ctx, Some(&id)).await?.map(|row| Project(row).into()),
        NodeId::Drawing(id) => load_by_vendor_id(ctx, Some(&id)).await?.map(|row| Drawing(row).into()),
        NodeId::Client(id) => load_by_vendor_id(ctx, Some(&id)).await?.map(|row| Client(row).into()),
        NodeId::Proposal(provider, id) => {
            load_proposal(ctx, provider, Some(&id)).await?.map(|row| Proposal(row).into())
        }
        NodeId::Event(seq) => {
            load(ctx, EventKey(seq, node_columns::<EventRow>(ctx))).await?.map(|row| Event::from(row).into())
        }
        NodeId::Delivery(id) => {
            load(ctx, DeliveryKey(id, node_columns::<DeliveryRow>(ctx))).await?.map(|row| Delivery(row).into())
        }
        NodeId::Payment(seq) => {
            load(ctx, PaymentKey(seq, node_columns::<PaymentRow>(ctx))).await?.map(|row| Payment(row).into())
        }
        NodeId::BidsketchWebhook(id) => {
            let reader = ctx.data::<Reader>()?;
            webhooks::by_id(reader, id).await.or_api_error()?.map(|webhook| BidsketchWebhook(webhook).into())
        }
        NodeId::File(id) => match vault(ctx)? {
            Some(_) => load(ctx, FileKey(id, node_columns::<FileRow>(ctx))).await?.map(|row| StoredFile(row).into()),
            None => None,
        },
        NodeId::AuditEntry(id) => {
            check_may_read(ctx)?;
            let reader = ctx.data::<Reader>()?;
            audit::by_id(reader, id).await.or_api_error()?.map(|entry| AuditEntry(entry).into())
        }
    };
    Ok(node.map(Selected))
}
