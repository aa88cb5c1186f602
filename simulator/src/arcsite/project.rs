//! `project.created` and `project.updated`, which carry the same payload.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::hook::{Hook, Vendor};
use crate::id::Id;
use crate::time::ser_zone_less;

/// A job site and its customer. `id`, `name` and the times are always present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Project {
    /// The vendor's id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// When it was created.
    #[serde(serialize_with = "ser_zone_less")]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(serialize_with = "ser_zone_less")]
    pub updated_at: DateTime<Utc>,
    /// The contractor's number for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_number: Option<String>,
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// The address of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_site_address: Option<Address>,
    /// The same, in the spelling of ArcSite's older page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_site_addreess: Option<Address>,
    /// The sales representative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sales_rep: Option<SalesRep>,
    /// The same, in the spelling of one sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale_rep: Option<SalesRep>,
    /// Labels.
    pub tags: Vec<String>,
}

/// A project's customer. Every part is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct Customer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// An address. Every part is optional, and two have a second spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county: Option<String>,
    /// `county`, as one of the vendor's tables spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub countity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `state`, as one of the vendor's tables spells it.
    #[serde(rename = "State", skip_serializing_if = "Option::is_none")]
    pub capital_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip_code: Option<String>,
}

/// A sales representative. Every part is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct SalesRep {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Project {
    /// Creates a project with only the required fields.
    pub fn new(id: impl Into<Id>, name: &str, at: DateTime<Utc>) -> Project {
        Project {
            id: id.into(),
            name: name.to_owned(),
            created_at: at,
            updated_at: at,
            job_number: None,
            customer: None,
            work_site_address: None,
            work_site_addreess: None,
            sales_rep: None,
            sale_rep: None,
            tags: Vec::new(),
        }
    }

    /// Swaps every field that has two spellings to its other spelling.
    #[must_use]
    pub fn respelled(mut self) -> Project {
        std::mem::swap(&mut self.work_site_address, &mut self.work_site_addreess);
        std::mem::swap(&mut self.sales_rep, &mut self.sale_rep);
        let customers = self.customer.iter_mut().filter_map(|customer| customer.address.as_mut());
        let sites = [&mut self.work_site_address, &mut self.work_site_addreess];
        for address in customers.chain(sites.into_iter().flatten()) {
            std::mem::swap(&mut address.county, &mut address.countity);
            std::mem::swap(&mut address.state, &mut address.capital_state);
        }
        self
    }

    /// `project.created`
    pub fn created(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "project.created", self)
    }

    /// `project.updated`
    pub fn updated(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "project.updated", self)
    }
}
