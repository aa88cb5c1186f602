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

/// The order where none is asked for.
pub(crate) const DEFAULT_ORDER: Sort = Sort { column: "last_event_at", tie_breakers: TIE_BREAKERS, descending: true };
/// What tells drawings apart that are equal in an order.
pub(crate) const TIE_BREAKERS: &[&str] = &["vendor_id"];
const CHILD_RELATION: Relation = Relation { column: "drawing_vendor_id", provider: None };

/// The columns that each field of a drawing needs.
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

/// An ArcSite drawing as it is now.
#[Object]
impl Drawing {
    /// The node id: `drawing:36029621652695041`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Drawing(self.0.vendor_id.clone()).to_string().into()
    }

    /// ArcSite's own id, every digit of it.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// Its name; empty while it is not known.
    async fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }

    /// Its tags.
    async fn tags(&self) -> Result<Vec<String>> {
        Ok(parse_nested(self.0.tags.as_deref())?.unwrap_or_default())
    }

    /// Its project; null until the project itself has been seen.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Selected<Project>>> {
        Ok(load_by_vendor_id(ctx, self.0.project_vendor_id.clone(), project::columns)
            .await?
            .map(|row| Selected(Project(row))))
    }

    /// ArcSite's own id of its project.
    async fn project_vendor_id(&self) -> Option<&str> {
        self.0.project_vendor_id.as_ref().map(VendorId::as_str)
    }

    /// The vendor's link to the drawing as PDF: dead after 24 hours.
    async fn pdf_url(&self) -> Option<Url> {
        self.0.pdf_url.clone().map(Url)
    }

    /// The vendor's link to the drawing as PNG: dead after 24 hours.
    async fn png_url(&self) -> Option<Url> {
        self.0.png_url.clone().map(Url)
    }

    /// The name of its file, where the vendor gave it.
    async fn file_name(&self) -> Option<&str> {
        self.0.file_name.as_deref()
    }

    /// When it was first seen: when the first event came that is its own, not only of what hangs under it.
    async fn first_seen_at(&self) -> DateTime {
        self.0.first_seen_at.into()
    }

    /// When the newest event of it or of a proposal made from it came.
    async fn last_event_at(&self) -> DateTime {
        self.0.last_event_at.into()
    }

    /// The events of it and of the proposals made from it, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither `first` nor `last` is given.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
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
