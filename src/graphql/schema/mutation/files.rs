//! `retryFile`.

use async_graphql::{Context, ID, Object, OneofObject, Result, SimpleObject};

use super::audit::{begin_audit, show_node_id};
use crate::domain::{NodeId, Provider};
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError, excerpt};
use crate::graphql::execution::selection::{Selectable, Selected};
use crate::graphql::loader::ProposalKey;
use crate::graphql::schema::model::file::{StoredFile, load_files};
use crate::graphql::schema::model::user_error::{UserError, UserErrorCode};
use crate::graphql::schema::model::{self, load};
use crate::store::files::{self, FilesOf};
use crate::store::read::relation::Relation;
use crate::store::read::{FileRow, ProposalRow};
use crate::store::sql::json_rows::ReadRow;

/// How many files that cannot be fetched `userErrors` names.
const PROBLEMS_MAX: usize = 20;

/// Input of `retryFile`: exactly one of the two ids.
#[derive(OneofObject)]
pub(crate) enum RetryFileInput {
    /// Node id of a drawing: `drawing:36029621652695041`.
    DrawingId(ID),
    /// Node id of an ArcSite proposal: `proposal:arcsite:36029621652695042`.
    ProposalId(ID),
}

/// Result of `retryFile`: the files, and `userErrors` for those that cannot be fetched.
#[derive(SimpleObject)]
pub(crate) struct RetryFilePayload {
    /// The newest 50 files of the drawing or proposal as they are after the mutation, newest first.
    /// Those that are PENDING will be fetched within seconds.
    files: Vec<Selected<StoredFile>>,
    /// Why a file cannot be fetched: NOT_FOUND if there is none, NOT_CONFIGURED if files are off,
    /// LINK_EXPIRED or LINK_REFUSED for each of the first 20 whose link is dead or not allowed.
    /// Empty if every file is stored or will be fetched.
    user_errors: Vec<UserError>,
}

impl Selectable for RetryFilePayload {}

#[derive(Default)]
pub struct FileMutation;

#[Object]
impl FileMutation {
    /// Fetches the files of a drawing or proposal once more that are not stored and whose links
    /// still live, also those that are FAILED. It returns before they are fetched.
    async fn retry_file(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The drawing or proposal whose files to fetch.")] input: RetryFileInput,
    ) -> Result<Selected<RetryFilePayload>> {
        let (id, field) = match &input {
            RetryFileInput::DrawingId(id) => (id, "drawingId"),
            RetryFileInput::ProposalId(id) => (id, "proposalId"),
        };
        let audit = begin_audit(ctx, "retryFile", show_node_id(id))?;
        let (subject, parents) = match (&input, id.parse()) {
            (RetryFileInput::DrawingId(_), Ok(NodeId::Drawing(drawing))) => {
                let parents = vec![(Relation::DRAWING_FILES, drawing.as_str().to_owned())];
                (FilesOf::Drawing(drawing), parents)
            }
            (RetryFileInput::ProposalId(_), Ok(NodeId::Proposal(Provider::Arcsite, proposal))) => {
                let key = ProposalKey(Provider::Arcsite, proposal.clone(), ProposalRow::drawing_vendor_id);
                let drawing = match load(ctx, key).await? {
                    Some(row) => model::read(&row.drawing_vendor_id)?.clone(),
                    None => None,
                };
                let mut parents = vec![(Relation::PROPOSAL_FILES, proposal.as_str().to_owned())];
                parents.extend(drawing.as_ref().map(|id| (Relation::SIGNED_FILES, id.as_str().to_owned())));
                (FilesOf::Proposal(proposal, drawing), parents)
            }
            _ => {
                let kind = if field == "drawingId" {
                    "a drawing such as drawing:42"
                } else {
                    "an ArcSite proposal such as proposal:arcsite:42"
                };
                let problem = format!("`{field}` must be the node id of {kind}, it is {:?}", excerpt(id));
                return Err(ApiError::BadUserInput(problem).into_graphql_error());
            }
        };
        let refused = |code, message: &str| {
            let user_errors = vec![UserError::new(code, message.to_owned(), &["input", field])];
            Ok(Selected(RetryFilePayload { files: Vec::new(), user_errors }))
        };
        let Api { store, files: vault, .. } = ctx.data::<Api>()?;
        let Some(vault) = vault else {
            return refused(
                UserErrorCode::NotConfigured,
                "files are off; the setting files.store says where to keep them",
            );
        };
        let tx = store.begin().await.or_api_error()?;
        let retry = files::retry(&tx, &subject, vault.signer.now()).await.or_api_error()?;
        if !retry.due.is_empty() {
            let detail = format!("{}: {} files are due", show_node_id(id), retry.due.len());
            audit.record(&tx, &detail).await.or_api_error()?;
            store.commit(tx, None).await.or_api_error()?;
        } else {
            drop(tx);
        }
        if retry.found == 0 {
            return refused(UserErrorCode::NotFound, "no event has brought a file of it");
        }
        let dead = retry.dead.iter().map(|&id| {
            let what = "its link is dead; the file comes with the next event of it, so change it at ArcSite";
            (UserErrorCode::LinkExpired, id, what)
        });
        let not_allowed = retry.refused.iter().map(|&id| {
            (UserErrorCode::LinkRefused, id, "its link is not allowed; its problem says which setting decides that")
        });
        let user_errors = dead
            .chain(not_allowed)
            .take(PROBLEMS_MAX)
            .map(|(code, id, what)| UserError::new(code, format!("{}: {what}", NodeId::File(id)), &["input", field]));
        Ok(Selected(RetryFilePayload {
            files: load_files(ctx, parents, FileRow::ALL).await?,
            user_errors: user_errors.collect(),
        }))
    }
}
