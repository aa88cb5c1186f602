//! Reading: rows in domain values, as the API asks for them.

pub mod client;
pub mod delivery;
pub mod drawing;
pub mod event;
pub mod filter;
pub mod page;
pub mod payment;
pub mod project;
pub mod proposal;

pub use client::ClientRow;
pub use delivery::DeliveryRow;
pub use drawing::DrawingRow;
pub use event::EventRow;
pub use filter::EventFilter;
pub use page::{Page, Window};
pub use payment::PaymentRow;
pub use project::ProjectRow;
pub use proposal::ProposalRow;

use super::StoreError;
use super::convert::{from_json, named, time};
use crate::clock::Time;
use crate::domain::VendorId;

fn optional_time(micros: Option<i64>) -> Result<Option<Time>, StoreError> {
    micros.map(time).transpose()
}

fn optional_id(id: Option<String>) -> Option<VendorId> {
    id.map(VendorId::from_stored)
}

fn texts<'a>(ids: &'a [VendorId]) -> impl Iterator<Item = &'a str> + use<'a> {
    ids.iter().map(VendorId::as_str)
}
