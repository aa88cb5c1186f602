//! Where one delivery goes.

use reqwest::Url;

use crate::registry::Registered;

/// The hook URL of a target, or a webhook that is registered with the made-up Bidsketch account. Either can hold a secret,
/// so there is no way to print one.
#[derive(Clone)]
pub struct Address {
    pub(super) url: Url,
    webhook: Option<u64>,
}

impl Address {
    /// A URL that somebody configured by hand, and that therefore has no id here.
    pub(super) fn by_hand(url: Url) -> Address {
        Address { url, webhook: None }
    }

    /// None for an endpoint that is no URL. The API registers no such one.
    pub(super) fn of(webhook: &Registered) -> Option<Address> {
        Some(Address { url: webhook.endpoint.parse().ok()?, webhook: Some(webhook.id) })
    }

    /// The id of the webhook, where it is a registered one.
    pub fn webhook(&self) -> Option<u64> {
        self.webhook
    }
}
