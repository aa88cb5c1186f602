//! Drawings.

use async_graphql::{Context, ID, Object, Result};

use super::scalar::{DateTime, Url};
use super::{Project, event, load_by_vendor_id, parse_nested, project};
use crate::domain::{NodeId, VendorId};
use crate::graphql::execution::selection::Selected;
use crate::graphql::pagination::args::{PageArgs, page_cost};
use crate::graphql::pagination::connection::{EventConnection, load_child_connection};
use crate::store::read::relation::Relation;
use crate::store::read::{DrawingRow, EventRow, LOG_ORDER, Sort};
use crate::store::sql::json_rows::Columns;

pub(crate) struct Drawing(pub(crate) DrawingRow);

/// The default order: the newest event first.
pub(crate) const DEFAULT_ORDER: Sort = Sort { column: "last_event_at", tie_breakers: TIE_BREAKERS, descending: true };
/// The columns that order drawings with equal sort values.
pub(crate) const TIE_BREAKERS: &[&str] = &["vendor_id"];
const CHILD_RELATION: Relation = Relation { column: "drawing_vendor_id", provider: None };

/// The columns that a field of a drawing needs.
pub(crate) fn columns(field: &str) -> Columns {
    match field {
        "project" => DrawingRow::project_vendor_id,
        "projectVendorId" => DrawingRow::project_vendor_id,
        "name" => DrawingRow::name,
        "tags" => DrawingRow::tags,
        "pdfUrl" => DrawingRow::pdf_url,
        "pngUrl" => DrawingRow::png_url,
        "fileName" => DrawingRow::file_name,
        "firstSeenAt" => DrawingRow::first_seen_at,
        "lastEventAt" => DrawingRow::last_event_at,
        _ => Columns::NONE,
    }
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
    async fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }

    /// Tags of the drawing at ArcSite; empty if it has none.
    async fn tags(&self) -> Result<Vec<String>> {
        Ok(parse_nested(self.0.tags.as_deref())?.unwrap_or_default())
    }

    /// The project it belongs to; null until an event of the project itself has arrived. Its id is
    /// in `projectVendorId`.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Selected<Project>>> {
        Ok(load_by_vendor_id(ctx, self.0.project_vendor_id.clone(), project::columns)
            .await?
            .map(|row| Selected(Project(row))))
    }

    /// ArcSite's own id of the project it belongs to.
    async fn project_vendor_id(&self) -> Option<&str> {
        self.0.project_vendor_id.as_ref().map(VendorId::as_str)
    }

    /// ArcSite's link to the drawing as PDF. It expires after 24 hours.
    async fn pdf_url(&self) -> Option<Url> {
        self.0.pdf_url.clone().map(Url)
    }

    /// ArcSite's link to the drawing as PNG. It expires after 24 hours.
    async fn png_url(&self) -> Option<Url> {
        self.0.png_url.clone().map(Url)
    }

    /// Name of the drawing's file at ArcSite.
    async fn file_name(&self) -> Option<&str> {
        self.0.file_name.as_deref()
    }

    /// When the first event of the drawing itself arrived. Events of its proposals do not count.
    async fn first_seen_at(&self) -> DateTime {
        self.0.first_seen_at.into()
    }

    /// When the newest event of the drawing, or of a proposal made from it, arrived.
    async fn last_event_at(&self) -> DateTime {
        self.0.last_event_at.into()
    }

    /// Events of this drawing and of the proposals made from it, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Result<EventConnection> {
        let args = PageArgs { first, after, last, before };
        load_child_connection::<EventRow>(
            ctx,
            self.0.vendor_id.clone(),
            CHILD_RELATION,
            LOG_ORDER,
            args,
            event::columns,
        )
        .await
    }
}
