//! The address of one delivery.

use reqwest::Url;

use crate::registry::Registered;

/// The hook URL of a target, or a webhook registered with the made-up Bidsketch account. Either may
/// hold a secret, so an address cannot be printed.
#[derive(Clone)]
pub struct Address {
    pub(super) url: Url,
    webhook: Option<u64>,
}

impl Address {
    /// Creates the address of a configured URL, which has no webhook id.
    pub(super) fn configured(url: Url) -> Address {
        Address { url, webhook: None }
    }

    /// Creates the address of a registered webhook. None if its endpoint is not a URL; the API
    /// registers no such webhook.
    pub(super) fn of_webhook(webhook: &Registered) -> Option<Address> {
        Some(Address { url: webhook.endpoint.parse().ok()?, webhook: Some(webhook.id) })
    }

    /// The id of the webhook, if it is a registered one.
    pub fn webhook(&self) -> Option<u64> {
        self.webhook
    }
}
