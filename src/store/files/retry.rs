//! Files that an operator wants to be fetched once more.

use entity::file::{Column, Entity};
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::clock::Time;
use crate::domain::{FileId, FileRole, FileState, VendorId};
use crate::store::StoreError;
use crate::store::sql::convert::to_micros;

/// How many files one call looks at, the newest first.
const FILES_MAX: u64 = 1000;

/// Whose files are fetched once more.
#[derive(Clone, Debug)]
pub enum FilesOf {
    /// Those of a drawing.
    Drawing(VendorId),
    /// Those of an ArcSite proposal, with the signed ones of the drawing that it was made from.
    Proposal(VendorId, Option<VendorId>),
}

/// What became of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRetry {
    /// How many files there are.
    pub found: usize,
    /// Those that are due now.
    pub due: Vec<FileId>,
    /// Those whose links are dead.
    pub dead: Vec<FileId>,
    /// Those whose links are not allowed.
    pub refused: Vec<FileId>,
}

impl FilesOf {
    fn condition(&self) -> Condition {
        let of_drawing = |drawing: &VendorId, role: FileRole| {
            Condition::all().add(Column::DrawingVendorId.eq(drawing.as_str())).add(Column::Role.eq(role.as_str()))
        };
        match self {
            Self::Drawing(drawing) => of_drawing(drawing, FileRole::Drawing),
            Self::Proposal(proposal, drawing) => Condition::any()
                .add(Column::ProposalVendorId.eq(proposal.as_str()))
                .add_option(drawing.as_ref().map(|drawing| of_drawing(drawing, FileRole::Signed))),
        }
    }
}

/// The states of a file that may be tried again while its link lives. One that is refused stays so.
const RETRIED: [FileState; 3] = [FileState::Pending, FileState::Expired, FileState::Failed];

/// Makes those of the files due that may be tried again. Returns how many.
async fn make_those_due<C: ConnectionTrait>(db: &C, files: Condition, now: i64) -> Result<u64, StoreError> {
    let made_due = Entity::update_many()
        .col_expr(Column::State, Expr::value(FileState::Pending.as_str()))
        .col_expr(Column::Attempts, Expr::value(0_i64))
        .col_expr(Column::NextAttemptAt, Expr::value(now))
        .col_expr(Column::StoredAt, Expr::value(None::<i64>))
        .col_expr(Column::Problem, Expr::value(None::<String>))
        .filter(files)
        .filter(Column::State.is_in(RETRIED.map(FileState::as_str)))
        .filter(Column::LinkExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(made_due.rows_affected)
}

/// Makes each file due that may be tried again, except those that retention has removed. Returns
/// how many.
///
/// # Errors
///
/// The database does not answer.
pub async fn make_due<C: ConnectionTrait>(db: &C, now: Time) -> Result<u64, StoreError> {
    make_those_due(db, Condition::all().add(Column::StoredAt.is_null()), to_micros(now)).await
}

/// Makes the files due that are not stored and whose links live, also those that failed. Must be
/// called under the write lock.
pub async fn retry<C: ConnectionTrait>(db: &C, files: &FilesOf, now: Time) -> Result<FileRetry, StoreError> {
    let rows: Vec<(i64, String, i64)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::State, Column::LinkExpiresAt])
        .filter(files.condition())
        .order_by_desc(Column::Id)
        .limit(FILES_MAX)
        .into_tuple()
        .all(db)
        .await?;
    let now = to_micros(now);
    let mut retry = FileRetry { found: rows.len(), ..FileRetry::default() };
    for (id, state, link_expires_at) in rows {
        match FileState::from_name(&state) {
            Some(state) if RETRIED.contains(&state) && link_expires_at > now => retry.due.push(FileId(id)),
            Some(state) if RETRIED.contains(&state) => retry.dead.push(FileId(id)),
            Some(FileState::Refused) => retry.refused.push(FileId(id)),
            _ => {}
        }
    }
    if !retry.due.is_empty() {
        // A file that retention has removed comes back.
        let due = Condition::all().add(Column::Id.is_in(retry.due.iter().map(|id| id.0)));
        make_those_due(db, due, now).await?;
    }
    Ok(retry)
}
