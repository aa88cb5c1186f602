//! Stored files, and the versions of drawings.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::enums::{FileKind, FileState};
use super::scalar::{DateTime, Url};
use super::{Event, load, read, text};
use crate::domain::{self, Digest, FileId, NodeId, Seq};
use crate::files::Vault;
use crate::files::signing::{SignedFile, THUMBNAIL, file_name};
use crate::graphql::Api;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::look_ahead::{ShownRow, fields_columns, node_columns};
use crate::graphql::execution::selection::Selected;
use crate::graphql::loader::{ChildPageKey, ChildPageQuery, EventKey};
use crate::store::read::order::Sortable;
use crate::store::read::relation::Relation;
use crate::store::read::{EventRow, FileRow, Sort, Window};
use crate::store::sql::json_rows::Columns;

/// How many files a list of files has at most.
pub(crate) const FILES_MAX: usize = 50;

/// How many versions of a drawing a list has at most.
pub(crate) const VERSIONS_MAX: usize = 50;

/// How many files a version has: a PDF and a PNG.
const FILES_A_VERSION: usize = 2;

pub(crate) struct StoredFile(pub(crate) FileRow);

impl ShownRow for FileRow {
    const OTHER_COLUMNS: &'static [(&'static str, Columns)] = &[
        ("url", FileRow::sha256),
        ("url", FileRow::name),
        ("url", FileRow::role),
        ("thumbnailUrl", FileRow::sha256),
        ("expiresAt", FileRow::link_expires_at),
    ];
}

/// Where the bytes of files are; none if files are off.
pub(crate) fn vault<'a>(ctx: &'a Context<'_>) -> Result<Option<&'a Vault>> {
    Ok(ctx.data::<Api>()?.files.as_ref())
}

impl StoredFile {
    const fn file_id(&self) -> FileId {
        FileId(self.0.id)
    }

    /// A value of a stored file. A file that is being removed still has its digest.
    fn if_stored<T>(&self, value: Option<T>) -> Option<T> {
        value.filter(|_| self.0.state == domain::FileState::Stored)
    }

    /// The digest of the bytes, if they are in the store.
    fn digest(&self) -> Result<Option<Digest>> {
        let digest = self.if_stored(text(&self.0.sha256)?).map(str::parse).transpose();
        digest.map_err(|_| {
            tracing::error!(file = self.0.id, "the digest of a file in the database is unreadable");
            ApiError::Internal.into_graphql_error()
        })
    }

    async fn sign(&self, ctx: &Context<'_>, digest: Digest, name: String) -> Result<Option<Url>> {
        let Some(vault) = vault(ctx)? else { return Ok(None) };
        let file = SignedFile { id: self.file_id(), digest, name };
        Ok(Some(Url(vault.signer.url(&file).await.or_api_error()?)))
    }
}

/// A file that an event of ArcSite names: bidarc fetches it before its link dies, and keeps it.
#[Object]
impl StoredFile {
    /// Node id, for `node` and `nodes`: `file:42`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::File(self.file_id()).to_string().into()
    }

    /// The type that the event says it has. No file of another type is stored.
    async fn kind(&self) -> FileKind {
        self.0.kind.into()
    }

    /// The name that the event gives it, such as that of a proposal's option; null if it gives
    /// none.
    async fn name(&self) -> Result<Option<&str>> {
        text(&self.0.name)
    }

    /// Whether it is stored, and why not.
    async fn state(&self) -> FileState {
        self.0.state.into()
    }

    /// URL of the stored file, which needs no key: everyone who has it can read this file, for one
    /// to two hours. Query it again for a new one. Without `server.public_url` it is a path of this
    /// service, such as `/files/42/drawing-42.pdf?…`. Null unless the state is STORED.
    async fn url(&self, ctx: &Context<'_>) -> Result<Option<Url>> {
        let Some(digest) = self.digest()? else { return Ok(None) };
        let name = text(&self.0.name)?;
        let name = file_name(self.file_id(), read(&self.0.role)?.as_str(), self.0.kind, name);
        self.sign(ctx, digest, name).await
    }

    /// URL of a small picture of a stored PNG, with sides of at most 480 pixels; otherwise as
    /// `url`. Null for a PDF.
    async fn thumbnail_url(&self, ctx: &Context<'_>) -> Result<Option<Url>> {
        match self.digest()? {
            Some(digest) if self.0.kind == domain::FileKind::Png => self.sign(ctx, digest, THUMBNAIL.to_owned()).await,
            Some(_) | None => Ok(None),
        }
    }

    /// How many bytes the stored file has; 2147483647 if they are more. Null unless the state is
    /// STORED.
    async fn size_bytes(&self) -> Result<Option<i32>> {
        Ok(self.if_stored(read(&self.0.size_bytes)?.as_ref()).map(|&size| i32::try_from(size).unwrap_or(i32::MAX)))
    }

    /// SHA-256 of the stored bytes, in 64 hexadecimal digits. Equal files have the same. Null
    /// unless the state is STORED.
    async fn sha256(&self) -> Result<Option<&str>> {
        Ok(self.if_stored(text(&self.0.sha256)?))
    }

    /// Media type of the stored file: `application/pdf` or `image/png`. Null unless the state is
    /// STORED.
    async fn content_type(&self) -> Option<&'static str> {
        self.if_stored(Some(self.0.kind.media_type()))
    }

    /// When it was stored. Null unless the state is STORED.
    async fn stored_at(&self) -> Result<Option<DateTime>> {
        Ok(self.if_stored(*read(&self.0.stored_at)?).map(DateTime::from))
    }

    /// When the vendor's link to it dies, or died. A file that is not stored by then is lost,
    /// unless a later delivery brings a fresh link.
    async fn expires_at(&self) -> Result<Option<DateTime>> {
        Ok(Some((*read(&self.0.link_expires_at)?).into()))
    }

    /// Why it is not stored, in words for people; null if there is nothing to say. The text may
    /// change.
    async fn problem(&self) -> Result<Option<&str>> {
        text(&self.0.problem)
    }
}

/// A drawing as it was at one of its events.
pub(crate) struct DrawingVersion {
    event: Seq,
    pdf: Option<FileRow>,
    png: Option<FileRow>,
}

/// The files of a drawing as they were at one of its events.
#[Object]
impl DrawingVersion {
    /// The event that named the files.
    async fn event(&self, ctx: &Context<'_>) -> Result<Selected<Event>> {
        let row = load(ctx, EventKey(self.event, node_columns::<EventRow>(ctx))).await?;
        row.map(|row| Selected(row.into())).ok_or_else(|| {
            tracing::error!(seq = self.event.0, "the event of a file is not in the log");
            ApiError::Internal.into_graphql_error()
        })
    }

    /// The drawing as PDF; null if the event has no link to one.
    async fn pdf(&self) -> Option<Selected<StoredFile>> {
        self.pdf.clone().map(|row| Selected(StoredFile(row)))
    }

    /// The drawing as PNG; null if the event has no link to one.
    async fn png(&self) -> Option<Selected<StoredFile>> {
        self.png.clone().map(|row| Selected(StoredFile(row)))
    }
}

/// Reads the first files that name a parent, in one statement with those of all parents on this
/// level. None if files are off.
async fn load_rows(
    ctx: &Context<'_>,
    (relation, parent): (Relation, String),
    (sort, limit): (Sort, usize),
    columns: Columns,
) -> Result<Vec<FileRow>> {
    if vault(ctx)?.is_none() {
        return Ok(Vec::new());
    }
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let window = Window { after: None, before: None, limit, backward: false };
    let key = ChildPageKey::<FileRow>::new(parent, ChildPageQuery { relation, sort, window, columns });
    Ok(load(ctx, key).await?.map(Arc::unwrap_or_clone).map_or_else(Vec::new, |page| page.rows))
}

/// Reads the newest file that names a parent.
pub(crate) async fn load_newest_file(
    ctx: &Context<'_>,
    relation: Relation,
    parent: String,
) -> Result<Option<Selected<StoredFile>>> {
    let order = (FileRow::DEFAULT_ORDER, 1);
    let rows = Box::pin(load_rows(ctx, (relation, parent), order, node_columns::<FileRow>(ctx))).await?;
    Ok(rows.into_iter().next().map(|row| Selected(StoredFile(row))))
}

/// Reads the files of an event, in the order in which it names them.
pub(crate) async fn load_event_files(ctx: &Context<'_>, parent: String) -> Result<Vec<Selected<StoredFile>>> {
    let order = (FileRow::ARRIVAL, FILES_MAX);
    let columns = node_columns::<FileRow>(ctx);
    let rows = Box::pin(load_rows(ctx, (Relation::EVENT_FILES, parent), order, columns)).await?;
    Ok(rows.into_iter().map(|row| Selected(StoredFile(row))).collect())
}

/// Reads the newest files of several parents, which are one object's.
pub(crate) async fn load_files(
    ctx: &Context<'_>,
    parents: impl IntoIterator<Item = (Relation, String)>,
    columns: Columns,
) -> Result<Vec<Selected<StoredFile>>> {
    let order = (FileRow::DEFAULT_ORDER, FILES_MAX);
    let lists = parents.into_iter().map(|parent| Box::pin(load_rows(ctx, parent, order, columns)));
    let mut rows = futures_util::future::try_join_all(lists).await?.concat();
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
    rows.truncate(FILES_MAX);
    Ok(rows.into_iter().map(|row| Selected(StoredFile(row))).collect())
}

/// Reads the versions of a drawing, newest first.
pub(crate) async fn load_versions(ctx: &Context<'_>, drawing: String) -> Result<Vec<Selected<DrawingVersion>>> {
    let columns = fields_columns::<FileRow>(ctx, &["pdf", "png"]);
    let order = (FileRow::DEFAULT_ORDER, VERSIONS_MAX * FILES_A_VERSION);
    let rows = Box::pin(load_rows(ctx, (Relation::DRAWING_FILES, drawing), order, columns)).await?;
    let of_kind = |files: &[FileRow], kind| files.iter().find(|file| file.kind == kind).cloned();
    let versions = rows.chunk_by(|a, b| a.event_seq == b.event_seq).take(VERSIONS_MAX).map(|files| {
        let (pdf, png) = (of_kind(files, domain::FileKind::Pdf), of_kind(files, domain::FileKind::Png));
        Selected(DrawingVersion { event: files[0].event_seq, pdf, png })
    });
    Ok(versions.collect())
}
