//! The outcome of a delivery.

use std::fmt;

use super::rules::Reply;

/// The outcome of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor counts it as delivered.
    Delivered {
        /// The status of the answer.
        status: u16,
        /// How many attempts were made.
        attempts: u32,
    },
    /// ArcSite has given up. It notifies no one.
    GivenUp {
        /// How many attempts were made.
        attempts: u32,
        /// The reply to the last attempt.
        last: Reply,
    },
    /// Bidsketch has given up and e-mailed the account's admin.
    AdminEmailed {
        /// How many attempts were made.
        attempts: u32,
        /// The reply to the last attempt.
        last: Reply,
    },
    /// Bidsketch deleted the webhook on a 410. If it had done so before, no attempt was made.
    Forgotten {
        /// How many attempts were made, including the one that got the 410.
        attempts: u32,
    },
    /// The webhook was deleted before this was delivered: by a call, or on a 410 to another
    /// delivery.
    Unregistered {
        /// How many attempts were made.
        attempts: u32,
    },
}

impl Outcome {
    /// Whether the vendor counts it as delivered.
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
