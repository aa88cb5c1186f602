//! The fields of `Mutation`, one subject a file.

use async_graphql::MergedObject;

mod audit;
mod files;
mod release;
mod webhooks;

/// What a key with the scope `manage` can change: release a quarantined delivery, create and delete
/// webhooks at Bidsketch, fetch a file once more. Nothing here changes a project, a client or a
/// proposal; the vendors own those. A failure that is to be expected is in `userErrors` of the
/// result, not in `errors`. The fields of one request run one after the other.
#[derive(Default, MergedObject)]
pub struct Mutation(release::ReleaseMutation, webhooks::WebhookMutation, files::FileMutation);
