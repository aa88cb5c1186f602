//! Projects.

use entity::project::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{from_json, optional_time, texts, time};
use crate::clock::Time;
use crate::domain::{Address, Customer, SalesRep, VendorId};
use crate::store::StoreError;

/// A project as it is now.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the API's type")]
pub struct ProjectRow {
    pub vendor_id: VendorId,
    pub name: String,
    pub job_number: Option<String>,
    pub tags: Vec<String>,
    pub customer: Option<Customer>,
    pub work_site_address: Option<Address>,
    pub sales_rep: Option<SalesRep>,
    pub created_at: Option<Time>,
    pub updated_at: Option<Time>,
    pub first_seen_at: Time,
    pub last_event_at: Time,
}

impl TryFrom<Model> for ProjectRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            vendor_id: VendorId::from_stored(row.vendor_id),
            name: row.name.unwrap_or_default(),
            job_number: row.job_number,
            tags: from_json(row.tags.as_deref())?.unwrap_or_default(),
            customer: from_json(row.customer.as_deref())?,
            work_site_address: from_json(row.work_site_address.as_deref())?,
            sales_rep: from_json(row.sales_rep.as_deref())?,
            created_at: optional_time(row.created_at)?,
            updated_at: optional_time(row.updated_at)?,
            first_seen_at: time(row.first_seen_at)?,
            last_event_at: time(row.last_event_at)?,
        })
    }
}

/// The projects with these ids, in no order.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[VendorId]) -> Result<Vec<ProjectRow>, StoreError> {
    let rows = Entity::find().filter(Column::VendorId.is_in(texts(ids))).all(db).await?;
    rows.into_iter().map(ProjectRow::try_from).collect()
}
