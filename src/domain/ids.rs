//! Ids: the vendors' ids, positions in the log, node ids.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;

use super::{FileId, Provider, WebhookId};

/// An id as its vendor gives it. It is always text, because ArcSite's numbers exceed 2^53.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct VendorId(String);

impl VendorId {
    /// The greatest length of an id, in bytes. The vendors' ids have at most 20 digits; the bound
    /// keeps every index entry small.
    pub const MAX_BYTES: usize = 200;

    /// Accepts an id of 1 to [`Self::MAX_BYTES`] bytes without control characters.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        let fits = !id.trim().is_empty() && id.len() <= Self::MAX_BYTES && !id.chars().any(char::is_control);
        fits.then_some(Self(id))
    }

    /// An id from the database, which only stores ids that [`Self::new`] accepted.
    #[must_use]
    pub fn from_stored(id: String) -> Self {
        Self(id)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as owned text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for VendorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event's number in the log, in commit order, from 1; 0 is the position before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The random id of one log, generated with its database. It distinguishes the cursors of different
/// logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogId(pub Arc<str>);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The readable, typed id of an object in the GraphQL API: `proposal:bidsketch:11051955`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NodeId {
    /// An ArcSite project by its vendor id.
    Project(VendorId),
    /// An ArcSite drawing by its vendor id.
    Drawing(VendorId),
    /// A Bidsketch client by its vendor id.
    Client(VendorId),
    /// A proposal by its vendor and vendor id.
    Proposal(Provider, VendorId),
    /// An event by its seq.
    Event(Seq),
    /// A delivery by its number.
    Delivery(i64),
    /// A payment by the seq of its event.
    Payment(Seq),
    /// A webhook at Bidsketch, by its number here.
    BidsketchWebhook(WebhookId),
    /// An entry of the audit, by its number.
    AuditEntry(i64),
    /// A file, by its number here.
    File(FileId),
}

/// A text that is not a node id. The message says what a node id looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a node id looks like project:36029621652695040, drawing:…, client:…, proposal:arcsite:…, proposal:bidsketch:11051955, \
     event:42, delivery:42, payment:42, webhook:42, file:42 or audit:42"
)]
pub struct InvalidNodeId;

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(id) => write!(f, "project:{id}"),
            Self::Drawing(id) => write!(f, "drawing:{id}"),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Proposal(Provider::Arcsite, id) => write!(f, "proposal:arcsite:{id}"),
            Self::Proposal(Provider::Bidsketch, id) => write!(f, "proposal:bidsketch:{id}"),
            Self::Event(seq) => write!(f, "event:{seq}"),
            Self::Delivery(id) => write!(f, "delivery:{id}"),
            Self::Payment(seq) => write!(f, "payment:{seq}"),
            Self::BidsketchWebhook(id) => write!(f, "webhook:{id}"),
            Self::AuditEntry(id) => write!(f, "audit:{id}"),
            Self::File(FileId(id)) => write!(f, "file:{id}"),
        }
    }
}

impl FromStr for NodeId {
    type Err = InvalidNodeId;

    fn from_str(text: &str) -> Result<Self, InvalidNodeId> {
        let (kind, rest) = text.split_once(':').ok_or(InvalidNodeId)?;
        let vendor_id = |id: &str| VendorId::new(id).ok_or(InvalidNodeId);
        // A number has one spelling, without a sign or leading zeros, so that an object has one id.
        let number = || match rest.parse::<i64>() {
            Ok(number) if number > 0 && number.to_string() == rest => Ok(number),
            _ => Err(InvalidNodeId),
        };
        match kind {
            "project" => vendor_id(rest).map(Self::Project),
            "drawing" => vendor_id(rest).map(Self::Drawing),
            "client" => vendor_id(rest).map(Self::Client),
            "proposal" => match rest.split_once(':') {
                Some(("arcsite", id)) => vendor_id(id).map(|id| Self::Proposal(Provider::Arcsite, id)),
                Some(("bidsketch", id)) => vendor_id(id).map(|id| Self::Proposal(Provider::Bidsketch, id)),
                _ => Err(InvalidNodeId),
            },
            "event" => number().map(|seq| Self::Event(Seq(seq))),
            "delivery" => number().map(Self::Delivery),
            "payment" => number().map(|seq| Self::Payment(Seq(seq))),
            "webhook" => number().map(|id| Self::BidsketchWebhook(WebhookId(id))),
            "audit" => number().map(Self::AuditEntry),
            "file" => number().map(|id| Self::File(FileId(id))),
            _ => Err(InvalidNodeId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_id_displayed_parses_back() {
        for text in [
            "project:36029621652695040",
            "drawing:a:b",
            "client:4815162342",
            "proposal:arcsite:1",
            "proposal:bidsketch:11051955",
            "event:42",
            "delivery:7",
            "payment:42",
            "webhook:3",
            "audit:3",
            "file:42",
        ] {
            assert_eq!(text.parse::<NodeId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn malformed_node_id_is_rejected() {
        for text in [
            "",
            "project",
            "project:",
            "proposal:11051955",
            "proposal:hubspot:1",
            "event:042",
            "event:-1",
            "event:x",
            "widget:1",
        ] {
            assert_eq!(text.parse::<NodeId>(), Err(InvalidNodeId), "{text}");
        }
    }
}
