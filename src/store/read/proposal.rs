//! Proposals.

use entity::proposal::{Column, Entity, Model};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter};

use super::{named, optional_id, optional_time, time};
use crate::clock::Time;
use crate::domain::{Money, ProposalStatus, Provider, VendorId};
use crate::store::StoreError;

/// A proposal as it is now.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the API's type")]
pub struct ProposalRow {
    pub provider: Provider,
    pub vendor_id: VendorId,
    pub name: String,
    pub description: Option<String>,
    pub status: Option<ProposalStatus>,
    pub vendor_status: Option<String>,
    pub is_draft: Option<bool>,
    pub owner: Option<String>,
    pub currency: Option<String>,
    pub total: Option<Money>,
    pub one_time_fees: Option<Money>,
    pub monthly_fees: Option<Money>,
    pub yearly_fees: Option<Money>,
    pub tax: Option<Money>,
    pub tax2: Option<Money>,
    pub discount: Option<Money>,
    pub customer_name: Option<String>,
    pub customer_email: Option<String>,
    pub client_vendor_id: Option<VendorId>,
    pub project_vendor_id: Option<VendorId>,
    pub url: Option<String>,
    pub app_url: Option<String>,
    pub created_at: Option<Time>,
    pub updated_at: Option<Time>,
    pub first_seen_at: Time,
    pub last_event_at: Time,
}

impl TryFrom<Model> for ProposalRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            provider: named(&row.provider, Provider::from_name)?,
            vendor_id: VendorId::from_stored(row.vendor_id),
            name: row.name.unwrap_or_default(),
            description: row.description,
            status: row.status.map(|status| named(&status, ProposalStatus::from_name)).transpose()?,
            vendor_status: row.vendor_status,
            is_draft: row.is_draft,
            owner: row.owner,
            currency: row.currency,
            total: row.total.map(Money),
            one_time_fees: row.one_time_fees.map(Money),
            monthly_fees: row.monthly_fees.map(Money),
            yearly_fees: row.yearly_fees.map(Money),
            tax: row.tax.map(Money),
            tax2: row.tax2.map(Money),
            discount: row.discount.map(Money),
            customer_name: row.customer_name,
            customer_email: row.customer_email,
            client_vendor_id: optional_id(row.client_vendor_id),
            project_vendor_id: optional_id(row.project_vendor_id),
            url: row.url,
            app_url: row.app_url,
            created_at: optional_time(row.created_at)?,
            updated_at: optional_time(row.updated_at)?,
            first_seen_at: time(row.first_seen_at)?,
            last_event_at: time(row.last_event_at)?,
        })
    }
}

/// The proposals with these keys, in no order.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_keys<C: ConnectionTrait>(
    db: &C,
    keys: &[(Provider, VendorId)],
) -> Result<Vec<ProposalRow>, StoreError> {
    let mut any = Condition::any();
    for provider in Provider::ALL {
        let ids: Vec<&str> = keys.iter().filter(|(of, _)| of == provider).map(|(_, id)| id.as_str()).collect();
        if !ids.is_empty() {
            any = any.add(Column::Provider.eq(provider.as_str()).and(Column::VendorId.is_in(ids)));
        }
    }
    if any.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Entity::find().filter(any).all(db).await?;
    rows.into_iter().map(ProposalRow::try_from).collect()
}
