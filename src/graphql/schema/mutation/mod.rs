//! The fields of `Mutation`, one subject a file.

use async_graphql::MergedObject;

mod release;
mod webhooks;

/// What can be changed: release a quarantined delivery, create and delete Bidsketch's webhooks.
/// Needs a key with the scope `manage`.
#[derive(Default, MergedObject)]
pub struct Mutation(release::ReleaseMutation, webhooks::WebhookMutation);
