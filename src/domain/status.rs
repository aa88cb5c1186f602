//! The status of a proposal.

use super::text_enum::text_enum;

text_enum! {
    /// The status of a proposal, for both vendors.
    ProposalStatus {
        /// New, not sent.
        Draft = "DRAFT",
        /// Sent, no answer yet.
        Pending = "PENDING",
        /// The client has viewed it.
        Viewed = "VIEWED",
        /// Accepted; ArcSite says APPROVED.
        Accepted = "ACCEPTED",
        /// Declined by the client.
        Declined = "DECLINED",
        /// Withdrawn.
        Void = "VOID",
        /// Given up.
        Lost = "LOST",
    }
}

impl ProposalStatus {
    /// The status of a vendor's word; `None` for a word that is not documented.
    #[must_use]
    pub fn from_vendor(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_uppercase();
        if word == "APPROVED" { Some(Self::Accepted) } else { Self::from_name(&word) }
    }

    /// Whether it ends a proposal: the client has decided, or the office has given up.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Accepted | Self::Declined | Self::Void | Self::Lost => true,
            Self::Draft | Self::Pending | Self::Viewed => false,
        }
    }

    /// The rank of a status. Of two statuses with the same time, the higher one wins. All final
    /// statuses have the same rank.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Draft => 0,
            Self::Pending => 1,
            Self::Viewed => 2,
            Self::Accepted | Self::Declined | Self::Void | Self::Lost => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_status_words_are_recognized() {
        for (word, status) in [
            ("DRAFT", ProposalStatus::Draft),
            ("PENDING", ProposalStatus::Pending),
            ("VOID", ProposalStatus::Void),
            ("LOST", ProposalStatus::Lost),
            ("APPROVED", ProposalStatus::Accepted),
            ("Pending", ProposalStatus::Pending),
            ("Viewed", ProposalStatus::Viewed),
            ("Accepted", ProposalStatus::Accepted),
            ("Declined", ProposalStatus::Declined),
        ] {
            assert_eq!(ProposalStatus::from_vendor(word), Some(status), "{word}");
        }
        assert_eq!(ProposalStatus::from_vendor("Archived"), None);
    }
}
