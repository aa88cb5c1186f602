//! The service itself: what it is set up for, and what each vendor has sent.

use std::collections::HashMap;

use async_graphql::{Context, Object, Result};

use super::enums::Provider;
use super::scalar::{DateTime, Url};
use crate::auth::Keys;
use crate::clock::Time;
use crate::domain;
use crate::graphql::error::OrApiError;
use crate::graphql::execution::selection::Selected;
use crate::store::{Reader, StoreError, deliveries, refusals, webhooks};

/// What the settings say of the service.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// The name of the installation.
    pub name: Option<String>,
    /// The URL at which others reach it.
    pub public_url: Option<String>,
    /// The office's time zone, as an IANA name.
    pub time_zone: String,
    /// The currency of amounts that name none.
    pub default_currency: Option<String>,
    /// How ArcSite is set up.
    pub arcsite: VendorFacts,
    /// How Bidsketch is set up.
    pub bidsketch: VendorFacts,
}

/// What the settings say of a vendor.
#[derive(Clone, Debug)]
pub struct VendorFacts {
    /// Whether a secret or a path token proves its deliveries.
    pub has_proof: bool,
    /// The hook URL of the settings, with its secret part masked.
    pub hook_url: Option<String>,
    /// Whether its API can be called.
    pub has_api: bool,
}

pub(crate) struct Service(pub(crate) ServiceFacts);

/// This service: its version, its settings that matter to clients, and its two vendors.
#[Object]
impl Service {
    /// The version of bidarc that answers: `0.1.0`. Nodes of a cluster may differ while they are
    /// upgraded.
    async fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    /// The name of this installation (`service.name`); null if it has none.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The URL at which the vendors reach this service (`server.public_url`); null if it is not
    /// set.
    async fn public_url(&self) -> Option<Url> {
        self.0.public_url.clone().map(Url)
    }

    /// Whether the API is open to this machine without a key, for a first try. The first key ends
    /// that.
    async fn open_mode(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.data::<Keys>()?.is_open_mode())
    }

    /// The office's time zone as an IANA name (`service.time_zone`): `Europe/Berlin`. Cut days and
    /// months by it. All times in this API are UTC.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// The currency of amounts that name none, as ISO 4217 code: those of ArcSite. Null if no
    /// setting names it.
    async fn default_currency(&self) -> Option<&str> {
        self.0.default_currency.as_deref()
    }

    /// The two vendors: how each is set up, and what it has sent.
    async fn vendors(&self, ctx: &Context<'_>) -> Result<Vec<Selected<VendorStatus>>> {
        let reader = ctx.data::<Reader>()?;
        let selected = |field: &str| ctx.field().selection_set().any(|selected| selected.name() == field);
        let records = Records::read(reader, selected).await.or_api_error()?;
        let vendors = [(domain::Provider::Arcsite, &self.0.arcsite), (domain::Provider::Bidsketch, &self.0.bidsketch)];
        let status = |(provider, facts): (domain::Provider, &VendorFacts)| VendorStatus {
            provider,
            is_configured: facts.has_proof
                || provider == domain::Provider::Bidsketch && records.own_bidsketch_webhooks > 0,
            hook_url: facts.hook_url.clone(),
            has_api: facts.has_api,
            last_delivery_at: records.last_delivery_at.get(&provider).copied(),
            last_refused_at: records.last_refused_at.get(&provider).copied(),
            quarantined: records.quarantined.get(&provider).copied().unwrap_or_default(),
        };
        Ok(vendors.into_iter().map(|vendor| Selected(status(vendor))).collect())
    }
}

/// What the database has of the vendors. Only what is selected is read.
#[derive(Default)]
struct Records {
    last_delivery_at: HashMap<domain::Provider, Time>,
    last_refused_at: HashMap<domain::Provider, Time>,
    quarantined: HashMap<domain::Provider, u64>,
    own_bidsketch_webhooks: u64,
}

impl Records {
    async fn read(reader: &Reader, selected: impl Fn(&str) -> bool) -> std::result::Result<Self, StoreError> {
        let mut records = Self::default();
        if selected("lastDeliveryAt") {
            records.last_delivery_at = deliveries::last_received_by_vendor(reader).await?;
        }
        if selected("lastRefusedAt") {
            records.last_refused_at = refusals::last(reader).await?;
        }
        if selected("quarantined") {
            records.quarantined = deliveries::count_quarantined_by_vendor(reader).await?;
        }
        if selected("configured") {
            records.own_bidsketch_webhooks = webhooks::count_accepting(reader).await?;
        }
        Ok(records)
    }
}

pub(crate) struct VendorStatus {
    provider: domain::Provider,
    is_configured: bool,
    hook_url: Option<String>,
    has_api: bool,
    last_delivery_at: Option<Time>,
    last_refused_at: Option<Time>,
    quarantined: u64,
}

/// A vendor, as this service is set up for it, and what it has sent.
#[Object]
impl VendorStatus {
    /// The vendor.
    async fn provider(&self) -> Provider {
        self.provider.into()
    }

    /// Whether deliveries of the vendor can prove themselves: a signing secret or a path token is
    /// set, or a webhook at Bidsketch that this service made is in use. Without that, deliveries
    /// are accepted in open mode alone.
    async fn configured(&self) -> bool {
        self.is_configured
    }

    /// The hook URL to enter at the vendor. A secret part of it is masked by `…`. Null if no hook
    /// of the settings answers, or if `publicUrl` is not set; the webhooks at Bidsketch that this
    /// service made have URLs of their own.
    async fn hook_url(&self) -> Option<&str> {
        self.hook_url.as_deref()
    }

    /// Whether this service can call the vendor's API: a token of it is set (Bidsketch). No call of
    /// ArcSite's API is made.
    async fn api_configured(&self) -> bool {
        self.has_api
    }

    /// When the newest delivery arrived that was answered 200; null if there is none.
    async fn last_delivery_at(&self) -> Option<DateTime> {
        self.last_delivery_at.map(DateTime)
    }

    /// When a delivery was last refused: its signature or its URL was wrong, or its body could not
    /// be read. It may have come from someone else than the vendor. Null if none was; it is known
    /// some seconds late.
    async fn last_refused_at(&self) -> Option<DateTime> {
        self.last_refused_at.map(DateTime)
    }

    /// How many deliveries are in quarantine.
    async fn quarantined(&self) -> u64 {
        self.quarantined
    }
}
