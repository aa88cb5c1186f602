//! Drawings.

use entity::drawing::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{from_json, optional_id, texts, time};
use crate::clock::Time;
use crate::domain::VendorId;
use crate::store::StoreError;

/// A drawing as it is now.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the API's type")]
pub struct DrawingRow {
    pub vendor_id: VendorId,
    pub project_vendor_id: Option<VendorId>,
    pub name: String,
    pub tags: Vec<String>,
    pub pdf_url: Option<String>,
    pub png_url: Option<String>,
    pub file_name: Option<String>,
    pub first_seen_at: Time,
    pub last_event_at: Time,
}

impl TryFrom<Model> for DrawingRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            vendor_id: VendorId::from_stored(row.vendor_id),
            project_vendor_id: optional_id(row.project_vendor_id),
            name: row.name.unwrap_or_default(),
            tags: from_json(row.tags.as_deref())?.unwrap_or_default(),
            pdf_url: row.pdf_url,
            png_url: row.png_url,
            file_name: row.file_name,
            first_seen_at: time(row.first_seen_at)?,
            last_event_at: time(row.last_event_at)?,
        })
    }
}

/// The drawings with these ids, in no order.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[VendorId]) -> Result<Vec<DrawingRow>, StoreError> {
    let rows = Entity::find().filter(Column::VendorId.is_in(texts(ids))).all(db).await?;
    rows.into_iter().map(DrawingRow::try_from).collect()
}
