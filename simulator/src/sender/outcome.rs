//! How a delivery ended.

use std::fmt;

use super::rules::Reply;

/// The end of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor takes it for delivered.
    Delivered {
        /// The status that did it.
        status: u16,
        /// How many attempts it took.
        attempts: u32,
    },
    /// ArcSite has stopped trying. It tells nobody.
    GivenUp {
        /// How many attempts were made.
        attempts: u32,
        /// What came of the last one.
        last: Reply,
    },
    /// Bidsketch has stopped trying and has written to the account's admin.
    AdminEmailed {
        /// How many attempts were made.
        attempts: u32,
        /// What came of the last one.
        last: Reply,
    },
    /// Bidsketch has deleted the webhook on a 410; or it had before, and then there was no attempt.
    Forgotten {
        /// How many attempts were made, the one that was answered 410 included.
        attempts: u32,
    },
    /// The webhook was deleted before this was delivered: by a call, or on a 410 that another delivery got.
    Unregistered {
        /// How many attempts were made.
        attempts: u32,
    },
}

impl Outcome {
    /// Whether the vendor takes it for delivered.
    pub fn is_delivered(&self) -> bool {
        matches!(self, Outcome::Delivered { .. })
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        match self {
            Outcome::Delivered { attempts, .. }
            | Outcome::GivenUp { attempts, .. }
            | Outcome::AdminEmailed { attempts, .. }
            | Outcome::Forgotten { attempts }
            | Outcome::Unregistered { attempts } => *attempts,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Delivered { status, attempts: 1 } => write!(f, "{status}"),
            Outcome::Delivered { status, attempts } => write!(f, "{status} at attempt {attempts}"),
            Outcome::GivenUp { attempts, last } => write!(f, "given up after {attempts} attempts: {last}"),
            Outcome::AdminEmailed { attempts, last } => {
                write!(f, "given up after {attempts} attempts, admin e-mailed: {last}")
            }
            Outcome::Forgotten { attempts: 0 } => f.write_str("not sent: the webhook was deleted on a 410"),
            Outcome::Forgotten { .. } => f.write_str("410: the vendor deletes the webhook"),
            Outcome::Unregistered { .. } => f.write_str("not delivered: the webhook was deleted meanwhile"),
        }
    }
}
