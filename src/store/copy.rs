//! Copying a whole database into another, of either kind: how an office moves to PostgreSQL with all that it has.
//!
//! Both are locked for writing as long as it takes, so that nothing is recorded that is not copied; all of it is one transaction of
//! the other database. The log's id comes along: every cursor goes on there.

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, PaginatorTrait};

use super::{Store, StoreError, Transaction};

/// How many rows are read and written at once, bodies and all.
const COPY_PAGE_SIZE: u64 = 100;

/// How far a copy has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// Rows copied.
    pub done: u64,
    /// Rows that there are.
    pub total: u64,
}

/// Why a copy was not made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The other database is in use.
    #[error("the other database is not empty: it has {0}")]
    NotEmpty(&'static str),
    /// The other database has not all that was copied.
    #[error("the other database has {there} rows of {table}, not {here}")]
    RowCountMismatch {
        /// Of which table.
        table: &'static str,
        /// How many were copied.
        here: u64,
        /// How many are there.
        there: u64,
    },
    /// One of the databases cannot be used.
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
        let (here, there) = (count_rows::<Entity>($from).await?, count_rows::<Entity>($to).await?);
        if here != there {
            return Err(CopyError::RowCountMismatch { table: stringify!($module), here, there });
        }
    }};
}

/// Copies everything. `report` is told after every page.
///
/// # Errors
///
/// Where the other database is not empty, does not take a value, or one of them is not available.
pub async fn copy_database(
    from: &Store,
    to: &Store,
    mut report: impl FnMut(CopyProgress),
) -> Result<CopyProgress, CopyError> {
    use entity::{
        bidsketch_webhook, client, delivery, drawing, drawing_tag, event, key, payment, project, project_tag, proposal,
    };
    let (source, target) = (from.begin_maintenance().await?, to.begin_maintenance().await?);
    for (what, rows) in [
        ("deliveries", count_rows::<delivery::Entity>(&target).await?),
        ("events", count_rows::<event::Entity>(&target).await?),
        ("keys", count_rows::<key::Entity>(&target).await?),
        ("webhooks", count_rows::<bidsketch_webhook::Entity>(&target).await?),
    ] {
        if rows > 0 {
            return Err(CopyError::NotEmpty(what));
        }
    }
    let mut progress = CopyProgress {
        done: 0,
        total: count_rows::<event::Entity>(&source).await?
            + count_rows::<delivery::Entity>(&source).await?
            + count_rows::<key::Entity>(&source).await?
            + count_rows::<bidsketch_webhook::Entity>(&source).await?
            + count_rows::<project::Entity>(&source).await?
            + count_rows::<project_tag::Entity>(&source).await?
            + count_rows::<drawing::Entity>(&source).await?
            + count_rows::<drawing_tag::Entity>(&source).await?
            + count_rows::<client::Entity>(&source).await?
            + count_rows::<proposal::Entity>(&source).await?
            + count_rows::<payment::Entity>(&source).await?
            + 1,
    };
    // The id that it was given when it was opened.
    entity::log::Entity::delete_many().exec(&target).await.map_err(StoreError::from)?;
    copy_table!(log, [Id => id], &source, &target, progress, report);
    copy_table!(event, [Seq => seq], &source, &target, progress, report);
    copy_table!(delivery, [Id => id], &source, &target, progress, report);
    copy_table!(key, [Id => id], &source, &target, progress, report);
    copy_table!(bidsketch_webhook, [Id => id], &source, &target, progress, report);
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
