//! Drawings.

use async_graphql::{Context, ID, Object, Result};

use super::scalar::{DateTime, Url};
use super::{Project, load};
use crate::domain::{NodeId, VendorId};
use crate::graphql::loader::ProjectKey;
use crate::store::read::DrawingRow;

pub(crate) struct Drawing(pub(crate) DrawingRow);

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
        &self.0.name
    }

    /// Its tags.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// Its project; null until the project itself has been seen.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Project>> {
        match self.0.project_vendor_id.clone() {
            Some(id) => Ok(load(ctx, ProjectKey(id)).await?.map(Project)),
            None => Ok(None),
        }
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

    /// When the first event of it came.
    async fn first_seen_at(&self) -> DateTime {
        DateTime(self.0.first_seen_at)
    }

    /// When the newest event of it or of a proposal made from it came.
    async fn last_event_at(&self) -> DateTime {
        DateTime(self.0.last_event_at)
    }
}
