//! Copies a whole database into another one of either kind, such as from SQLite to PostgreSQL.
//!
//! Both databases are locked for writing during the copy, so that no delivery is recorded that is
//! not copied. The copy is one transaction of the target. It includes the log id, so that cursors
//! stay valid.

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, PaginatorTrait};

use super::{Store, StoreError, Transaction};

/// How many rows are read and written at once, with their bodies.
const COPY_PAGE_SIZE: u64 = 100;

/// The progress of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// Rows copied.
    pub done: u64,
    /// All rows to copy.
    pub total: u64,
}

/// Why a copy failed. The target is then unchanged.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target is in use.
    #[error("the target database is not empty: it has {0}; copy into an empty database")]
    NotEmpty(&'static str),
    /// The target has another number of rows than the source.
    #[error("after the copy the target database has {target_rows} rows of {table}, but the source has {source_rows}")]
    RowCountMismatch {
        /// The table.
        table: &'static str,
        /// The rows of the source.
        source_rows: u64,
        /// The rows of the target.
        target_rows: u64,
    },
    /// The source or the target cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies a table page by page, along its key.
macro_rules! copy_table {
    ($module:ident, [$($column:ident => $field:ident),+], $from:expr, $to:expr, $progress:expr, $report:expr) => {{
        use entity::$module::{Column, Entity};
        let mut last = None;
        loop {
            let mut rows = Entity::find().cursor_by(($(Column::$column),+));
            if let Some(last) = last.take() {
                rows.after(last);
            }
            let rows = rows.first(COPY_PAGE_SIZE).all($from).await.map_err(StoreError::from)?;
            let Some(newest) = rows.last() else { break };
            last = Some(($(newest.$field.clone()),+));
            $progress.done += u64::try_from(rows.len()).unwrap_or_default();
            let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
            Entity::insert_many(rows).exec_without_returning($to).await.map_err(StoreError::from)?;
            $report($progress);
        }
        let (source_rows, target_rows) = (count_rows::<Entity>($from).await?, count_rows::<Entity>($to).await?);
        if source_rows != target_rows {
            return Err(CopyError::RowCountMismatch { table: stringify!($module), source_rows, target_rows });
        }
    }};
}

/// Copies everything, and calls `report` after every page.
pub async fn copy_database(
    from: &Store,
    to: &Store,
    mut report: impl FnMut(CopyProgress),
) -> Result<CopyProgress, CopyError> {
    use entity::{
        audit, bidsketch_webhook, client, delivery, drawing, drawing_tag, event, file, hook_refusal, key, payment,
        project, project_tag, proposal, secret, session,
    };
    let (source, target) = (from.begin_maintenance().await?, to.begin_maintenance().await?);
    for (name, rows) in [
        ("deliveries", count_rows::<delivery::Entity>(&target).await?),
        ("events", count_rows::<event::Entity>(&target).await?),
        ("keys", count_rows::<key::Entity>(&target).await?),
        ("webhooks", count_rows::<bidsketch_webhook::Entity>(&target).await?),
    ] {
        if rows > 0 {
            return Err(CopyError::NotEmpty(name));
        }
    }
    let mut progress = CopyProgress {
        done: 0,
        total: count_rows::<event::Entity>(&source).await?
            + count_rows::<delivery::Entity>(&source).await?
            + count_rows::<file::Entity>(&source).await?
            + count_rows::<secret::Entity>(&source).await?
            + count_rows::<key::Entity>(&source).await?
            + count_rows::<session::Entity>(&source).await?
            + count_rows::<audit::Entity>(&source).await?
            + count_rows::<bidsketch_webhook::Entity>(&source).await?
            + count_rows::<hook_refusal::Entity>(&source).await?
            + count_rows::<project::Entity>(&source).await?
            + count_rows::<project_tag::Entity>(&source).await?
            + count_rows::<drawing::Entity>(&source).await?
            + count_rows::<drawing_tag::Entity>(&source).await?
            + count_rows::<client::Entity>(&source).await?
            + count_rows::<proposal::Entity>(&source).await?
            + count_rows::<payment::Entity>(&source).await?
            + 1,
    };
    // The target got this id when it was opened. The source's id replaces it.
    entity::log::Entity::delete_many().exec(&target).await.map_err(StoreError::from)?;
    copy_table!(log, [Id => id], &source, &target, progress, report);
    copy_table!(event, [Seq => seq], &source, &target, progress, report);
    copy_table!(delivery, [Id => id], &source, &target, progress, report);
    copy_table!(file, [Id => id], &source, &target, progress, report);
    copy_table!(secret, [Name => name], &source, &target, progress, report);
    copy_table!(key, [Id => id], &source, &target, progress, report);
    copy_table!(session, [Id => id], &source, &target, progress, report);
    copy_table!(audit, [Id => id], &source, &target, progress, report);
    copy_table!(bidsketch_webhook, [Id => id], &source, &target, progress, report);
    copy_table!(hook_refusal, [Provider => provider], &source, &target, progress, report);
    copy_table!(project, [VendorId => vendor_id], &source, &target, progress, report);
    copy_table!(project_tag, [Tag => tag, VendorId => vendor_id], &source, &target, progress, report);
    copy_table!(drawing, [VendorId => vendor_id], &source, &target, progress, report);
    copy_table!(drawing_tag, [Tag => tag, VendorId => vendor_id], &source, &target, progress, report);
    copy_table!(client, [VendorId => vendor_id], &source, &target, progress, report);
    copy_table!(proposal, [Provider => provider, VendorId => vendor_id], &source, &target, progress, report);
    copy_table!(payment, [EventSeq => event_seq], &source, &target, progress, report);
    to.commit(target, None).await?;
    source.rollback().await?;
    Ok(progress)
}

async fn count_rows<E>(db: &Transaction) -> Result<u64, StoreError>
where
    E: EntityTrait,
    E::Model: Send + Sync,
{
    Ok(E::find().count(db).await?)
}
