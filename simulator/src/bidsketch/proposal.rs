//! The payload of the six proposal events.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{API, APP, Client};
use crate::hook::{Hook, Vendor};
use crate::money::Money;
use crate::time::{ser_maybe_with_offset, ser_with_offset};

/// The status of a proposal. Only `is_draft` says whether it was ever sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub enum Status {
    Pending,
    Viewed,
    Accepted,
    Declined,
}

/// A proposal, as its webhooks and its own page show it. A list's page has fewer fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct Proposal {
    /// An integer that may exceed 2^32.
    pub id: u64,
    pub url: String,
    pub app_url: String,
    #[serde(serialize_with = "ser_with_offset")]
    pub created_at: DateTime<Utc>,
    #[serde(serialize_with = "ser_with_offset")]
    pub updated_at: DateTime<Utc>,
    #[serde(serialize_with = "ser_maybe_with_offset")]
    pub proposal_date: Option<DateTime<Utc>>,
    pub name: String,
    pub description: String,
    pub status: Status,
    pub is_draft: bool,
    /// The owner's name.
    pub user: String,
    /// ISO 4217.
    pub currency: String,
    #[serde(flatten)]
    pub fees: Fees,
    pub settings: Settings,
    pub client: ClientRef,
    pub content: Content,
}

/// A proposal's sums. Taxes and discount are amounts, not rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct Fees {
    pub tax: Money,
    pub tax2: Money,
    pub monthly_fees: Money,
    pub yearly_fees: Money,
    pub one_time_fees: Money,
    /// Negative or zero.
    pub discount: Money,
    pub total: Money,
}

impl Fees {
    /// Sets the total to the sum of the other amounts.
    #[must_use]
    pub fn summed(mut self) -> Fees {
        self.total = [self.tax, self.tax2, self.monthly_fees, self.yearly_fees, self.one_time_fees, self.discount]
            .into_iter()
            .sum();
        self
    }
}

/// How the proposal is shown to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct Settings {
    /// HTML.
    pub approval_message: String,
    pub hide_monthly_total: bool,
    pub hide_yearly_total: bool,
    pub hide_project_total: bool,
    pub hide_grand_total: bool,
}

/// The client of a proposal, in brief.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct ClientRef {
    pub id: u64,
    pub name: String,
    pub url: String,
    pub app_url: String,
}

/// The URLs of a proposal's text and fees. The REST API serves them; no webhook carries them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct Content {
    pub count: u64,
    pub url: String,
    pub opening_sections: Section,
    pub fees: Section,
    pub closing_sections: Section,
}

/// One part of the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the vendor's, and say it")]
pub struct Section {
    pub count: u64,
    pub url: String,
}

impl Proposal {
    /// Creates a draft for `client`, without fees.
    pub fn new(id: u64, name: &str, client: &Client, at: DateTime<Utc>) -> Proposal {
        let section = |count: u64, path: &str| Section { count, url: format!("{API}/proposals/{id}/{path}.json") };
        Proposal {
            id,
            url: format!("{API}/proposals/{id}.json"),
            app_url: format!("{APP}/proposals/{id}"),
            created_at: at,
            updated_at: at,
            proposal_date: None,
            name: name.to_owned(),
            description: String::new(),
            status: Status::Pending,
            is_draft: true,
            user: "Wanda Ridgebeam".to_owned(),
            currency: "USD".to_owned(),
            fees: Fees::default(),
            settings: Settings {
                approval_message: "<p>Thanks!</p>".to_owned(),
                hide_monthly_total: false,
                hide_yearly_total: false,
                hide_project_total: false,
                hide_grand_total: false,
            },
            client: ClientRef {
                id: client.id,
                name: client.name.clone(),
                url: client.url.clone(),
                app_url: client.app_url.clone(),
            },
            content: Content {
                count: 11,
                url: format!("{API}/proposals/{id}/content.json"),
                opening_sections: section(2, "sections/opening"),
                fees: section(8, "fees"),
                closing_sections: section(1, "sections/closing"),
            },
        }
    }

    /// Creates a hook of one of the six proposal types, such as `proposal_viewed`.
    pub fn hook(&self, event: &str) -> Hook {
        Hook::new(Vendor::Bidsketch, event, self)
    }

    /// Creates the hooks of a decision; `status` says which. An account with webhooks for the
    /// decision and for "accepted or declined" gets both, for one decision.
    pub fn decided(&self) -> Vec<Hook> {
        match self.status {
            Status::Accepted => vec![self.hook("proposal_accepted"), self.hook("proposal_accepted_or_declined")],
            Status::Declined => vec![self.hook("proposal_declined"), self.hook("proposal_accepted_or_declined")],
            Status::Pending | Status::Viewed => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposal_hook_carries_the_documented_fields() {
        let at = DateTime::from_timestamp(1_642_306_763, 0).unwrap();
        let client = Client::new(4_815_162_342, "Eric's Gazebo Emporium", at);
        let mut proposal = Proposal::new(11_051_955, "Gazebo", &client, at);
        proposal.fees =
            Fees { one_time_fees: Money::whole(4_345), tax: Money::cents(3_939), ..Fees::default() }.summed();
        let envelope: serde_json::Value = serde_json::from_str(&proposal.hook("proposal_sent").body).unwrap();
        let data = &envelope["data"];
        assert_eq!(envelope["event"], "proposal_sent");
        assert_eq!(data["id"], 11_051_955);
        assert_eq!(data["created_at"], "2022-01-15T23:19:23-05:00");
        assert_eq!(data["client"]["id"], 4_815_162_342_u64);
        assert_eq!(data["status"], "Pending");
        assert_eq!(data["total"], 4384.39);
        assert_eq!(data["proposal_date"], serde_json::Value::Null);
    }
}
