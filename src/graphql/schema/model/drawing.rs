//! Drawings.

use async_graphql::{Context, ID, Object, Result};

use super::file::{DrawingVersion, StoredFile, load_newest_file, load_versions};
use super::scalar::{DateTime, Url};
use super::{Project, load_by_vendor_id, optional, parse_nested, read, text};
use crate::domain::{NodeId, VendorId};
use crate::graphql::execution::look_ahead::ShownRow;
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::paged_object;
use crate::graphql::pagination::connection::EventConnection;
use crate::graphql::pagination::load::{Children, load_children};
use crate::store::read::relation::Relation;
use crate::store::read::{DrawingRow, EventRow};
use crate::store::sql::json_rows::Columns;

pub(crate) struct Drawing(pub(crate) DrawingRow);

impl ShownRow for DrawingRow {
    const OTHER_COLUMNS: &'static [(&'static str, Columns)] = &[("project", DrawingRow::project_vendor_id)];
}

/// The current state of an ArcSite drawing, made from its events. A nullable field is null until an
/// event has brought it.
#[Object]
impl Drawing {
    /// Node id, for `node` and `nodes`: `drawing:36029621652695041`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Drawing(self.0.vendor_id.clone()).to_string().into()
    }

    /// ArcSite's own id with every digit, for `Query.drawing`.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// Name of the drawing; empty until an event provides it.
    async fn name(&self) -> Result<&str> {
        Ok(text(&self.0.name)?.unwrap_or_default())
    }

    /// Tags of the drawing at ArcSite; empty if it has none.
    async fn tags(&self) -> Result<Vec<String>> {
        Ok(parse_nested(&self.0.tags)?.unwrap_or_default())
    }

    /// The project it belongs to; null until an event of the project itself has arrived. Its id is
    /// in `projectVendorId`.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Selected<Project>>> {
        Ok(load_by_vendor_id(ctx, read(&self.0.project_vendor_id)?.as_ref()).await?.map(|row| Selected(Project(row))))
    }

    /// ArcSite's own id of the project it belongs to.
    async fn project_vendor_id(&self) -> Result<Option<&str>> {
        Ok(read(&self.0.project_vendor_id)?.as_ref().map(VendorId::as_str))
    }

    /// The drawing as PDF, as the newest event that has a link to one names it; null if there is
    /// none, or if files are off. `versions` has those before.
    async fn pdf(&self, ctx: &Context<'_>) -> Result<Option<Selected<StoredFile>>> {
        load_newest_file(ctx, Relation::DRAWING_PDFS, self.0.vendor_id.as_str().to_owned()).await
    }

    /// The drawing as PNG, as the newest event that has a link to one names it; null if there is
    /// none, or if files are off. `versions` has those before.
    async fn png(&self, ctx: &Context<'_>) -> Result<Option<Selected<StoredFile>>> {
        load_newest_file(ctx, Relation::DRAWING_PNGS, self.0.vendor_id.as_str().to_owned()).await
    }

    /// The files of its newest 50 events that name any, newest first; empty if files are off. The
    /// files of an event before them are in `DrawingEvent.pdf` and `png`.
    async fn versions(&self, ctx: &Context<'_>) -> Result<Vec<Selected<DrawingVersion>>> {
        load_versions(ctx, self.0.vendor_id.as_str().to_owned()).await
    }

    /// ArcSite's link to the drawing as PDF. It expires after 24 hours; `pdf` stays.
    async fn pdf_url(&self) -> Result<Option<Url>> {
        optional(&self.0.pdf_url, Url)
    }

    /// ArcSite's link to the drawing as PNG. It expires after 24 hours; `png` stays.
    async fn png_url(&self) -> Result<Option<Url>> {
        optional(&self.0.png_url, Url)
    }

    /// Name of the drawing's file at ArcSite.
    async fn file_name(&self) -> Result<Option<&str>> {
        text(&self.0.file_name)
    }

    /// When the first event of the drawing itself arrived. Events of its proposals do not count.
    async fn first_seen_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.first_seen_at)?).into())
    }

    /// When the newest event of the drawing, or of a proposal made from it, arrived.
    async fn last_event_at(&self) -> Result<DateTime> {
        Ok((*read(&self.0.last_event_at)?).into())
    }

    #[graphql(flatten)]
    async fn children(&self) -> Children<'_, DrawingRow> {
        Children(&self.0)
    }
}

paged_object! {
    #[Object(name = "DrawingChildren")]
    impl Children<'_, DrawingRow> {
        /// Events of this drawing and of the proposals made from it, newest first.
        fn events(self, ctx, args) -> EventConnection {
            load_children::<EventRow>(ctx, self.0, args).await
        }
    }
}
