//! The fields of the root that change something, one subject a file.

use async_graphql::MergedObject;

mod release;
mod webhooks;

/// Changes what is kept.
#[derive(Default, MergedObject)]
pub struct Mutation(release::ReleaseMutation, webhooks::WebhookMutation);
