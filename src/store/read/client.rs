//! Clients.

use entity::client::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{from_json, optional_time, texts, time};
use crate::clock::Time;
use crate::domain::{Contact, VendorId};
use crate::store::StoreError;

/// A client as it is now.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the API's type")]
pub struct ClientRow {
    pub vendor_id: VendorId,
    pub name: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub alt_phone: Option<String>,
    pub website: Option<String>,
    pub address_field_one: Option<String>,
    pub address_field_two: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_zip: Option<String>,
    pub country: Option<String>,
    pub notes: Option<String>,
    pub other_contact: Option<Contact>,
    pub url: Option<String>,
    pub app_url: Option<String>,
    pub created_at: Option<Time>,
    pub updated_at: Option<Time>,
    pub first_seen_at: Time,
    pub last_event_at: Time,
}

impl TryFrom<Model> for ClientRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            vendor_id: VendorId::from_stored(row.vendor_id),
            name: row.name.unwrap_or_default(),
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email,
            phone: row.phone,
            alt_phone: row.alt_phone,
            website: row.website,
            address_field_one: row.address_field_one,
            address_field_two: row.address_field_two,
            city: row.city,
            state: row.state,
            postal_zip: row.postal_zip,
            country: row.country,
            notes: row.notes,
            other_contact: from_json(row.other_contact.as_deref())?,
            url: row.url,
            app_url: row.app_url,
            created_at: optional_time(row.created_at)?,
            updated_at: optional_time(row.updated_at)?,
            first_seen_at: time(row.first_seen_at)?,
            last_event_at: time(row.last_event_at)?,
        })
    }
}

/// The clients with these ids, in no order.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[VendorId]) -> Result<Vec<ClientRow>, StoreError> {
    let rows = Entity::find().filter(Column::VendorId.is_in(texts(ids))).all(db).await?;
    rows.into_iter().map(ClientRow::try_from).collect()
}
