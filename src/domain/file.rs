//! Files that the links of events name, and what became of them.

use super::VendorId;
use super::text_enum::text_enum;

/// The number of a file here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(transparent)]
pub struct FileId(pub i64);

text_enum! {
    /// The type of a file. The vault stores no others.
    FileKind {
        /// A document.
        Pdf = "PDF",
        /// A picture.
        Png = "PNG",
    }
}

text_enum! {
    /// What a file is to its event.
    FileRole {
        /// The drawing itself.
        Drawing = "DRAWING",
        /// The approved proposal.
        Proposal = "PROPOSAL",
        /// An option of a proposal.
        Option = "OPTION",
        /// The signed proposal of a drawing.
        Signed = "SIGNED",
    }
}

text_enum! {
    /// The state of a file.
    FileState {
        /// It is not fetched yet. If a fetch failed, it will be tried again.
        Pending = "PENDING",
        /// Its bytes are in the store.
        Stored = "STORED",
        /// Its link died before a fetch succeeded. A fresh link makes it pending.
        Expired = "EXPIRED",
        /// Its link is not allowed.
        Refused = "REFUSED",
        /// It cannot be stored, and no retry changes that.
        Failed = "FAILED",
    }
}

/// A link of an event to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLink {
    /// What the file is to the event.
    pub role: FileRole,
    /// The type that the event says it has.
    pub kind: FileKind,
    /// The name that the event gives it.
    pub name: Option<String>,
    /// The drawing that it shows.
    pub drawing: Option<VendorId>,
    /// The proposal that it belongs to.
    pub proposal: Option<VendorId>,
    /// The link as it was received.
    pub url: String,
}
