//! Projects.

use async_graphql::{ID, Object};

use super::people::{Address, Customer, SalesRep};
use super::scalar::DateTime;
use crate::domain::NodeId;
use crate::store::read::ProjectRow;

pub(crate) struct Project(pub(crate) ProjectRow);

/// An ArcSite project as it is now.
#[Object]
impl Project {
    /// The node id: `project:36029621652695040`.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Project(self.0.vendor_id.clone()).to_string().into()
    }

    /// ArcSite's own id, every digit of it.
    async fn vendor_id(&self) -> &str {
        self.0.vendor_id.as_str()
    }

    /// Its name; empty while it is not known.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The office's number of the job.
    async fn job_number(&self) -> Option<&str> {
        self.0.job_number.as_deref()
    }

    /// Its tags.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// Whom it is for.
    async fn customer(&self) -> Option<Customer> {
        self.0.customer.clone().map(Customer::from)
    }

    /// Where the work is done.
    async fn work_site_address(&self) -> Option<Address> {
        self.0.work_site_address.clone().map(Address::from)
    }

    /// Who sells it.
    async fn sales_rep(&self) -> Option<SalesRep> {
        self.0.sales_rep.clone().map(SalesRep::from)
    }

    /// When it was created at the vendor.
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime)
    }

    /// When it was last changed at the vendor.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime)
    }

    /// When the first event of it came.
    async fn first_seen_at(&self) -> DateTime {
        DateTime(self.0.first_seen_at)
    }

    /// When the newest event of it, its drawings or its proposals came.
    async fn last_event_at(&self) -> DateTime {
        DateTime(self.0.last_event_at)
    }
}
