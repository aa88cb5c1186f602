//! Files that the links of events name, and what became of them.

use std::fmt;
use std::str::FromStr;

use super::VendorId;
use super::text_enum::text_enum;

/// The number of a file here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(transparent)]
pub struct FileId(pub i64);

/// The SHA-256 of a file's bytes. Equal files have one, and the store keeps them once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes of SHA-256.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Reads 64 hexadecimal digits in lower case, as [`Digest`] displays them.
impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        if text.contains(|letter: char| letter.is_ascii_uppercase()) {
            return Err(InvalidDigest);
        }
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidDigest)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A text is not a [`Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 hexadecimal digits in lower case")]
pub struct InvalidDigest;

text_enum! {
    /// The type of a file. The vault stores no others.
    FileKind {
        /// A document.
        Pdf = "PDF",
        /// A picture.
        Png = "PNG",
    }
}

impl FileKind {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
        }
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

impl FileLink {
    /// The greatest length of a link, in bytes. CloudFront's own links have at most this many.
    pub const URL_BYTES_MAX: usize = 8 * 1024;

    /// How many characters of a name are kept.
    pub const NAME_CHARS_MAX: usize = 200;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_read_as_it_is_displayed() {
        let digest = Digest::new([0xa1; 32]);
        assert_eq!(digest.to_string(), "a1".repeat(32));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for invalid in ["", "a1", &"A1".repeat(32), &"a1".repeat(33), &"g1".repeat(32), &"../".repeat(22)[..64]] {
            assert_eq!(invalid.parse::<Digest>(), Err(InvalidDigest), "{invalid}");
        }
    }
}
