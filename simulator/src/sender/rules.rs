//! The vendors' rules: what an answer means, and how long one goes on trying.

use std::fmt;
use std::time::Duration;

use crate::hook::Vendor;

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer with this status.
    Status(u16),
    /// No answer in time.
    TimedOut,
    /// No connection, or one that broke: the reason.
    Broken(String),
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Status(status) => write!(f, "{status}"),
            Reply::TimedOut => f.write_str("no answer in time"),
            Reply::Broken(why) => f.write_str(why),
        }
    }
}

/// What a vendor makes of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is delivered.
    Delivered,
    /// It is tried again, if there is a try left.
    Retry,
    /// The webhook itself is deleted.
    Forget,
}

/// The vendor's rule for a reply.
///
/// ArcSite: any 2xx is delivered; 3xx, 4xx, 5xx and silence are tried again, and 410 is one more of them. Bidsketch:
/// exactly `200 OK` is delivered, 410 deletes the webhook, and everything else, 201 and 204 included, is tried again.
pub fn judge(vendor: Vendor, reply: &Reply) -> Verdict {
    match (vendor, reply) {
        (Vendor::Arcsite, Reply::Status(200..=299)) | (Vendor::Bidsketch, Reply::Status(200)) => Verdict::Delivered,
        (Vendor::Bidsketch, Reply::Status(410)) => Verdict::Forget,
        (Vendor::Arcsite | Vendor::Bidsketch, Reply::Status(_) | Reply::TimedOut | Reply::Broken(_)) => Verdict::Retry,
    }
}

/// How long an answer is waited for, and how often and at what distance one tries.
#[derive(Clone, Debug)]
pub struct Patience {
    /// How long one attempt may take. ArcSite wants its answer "quickly"; the number is a guess.
    pub time_out: Duration,
    /// The pause after the first failure; it doubles after each further one. No vendor documents its spacing.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// How often ArcSite tries in all, the first attempt included. Documented as "certain times".
    pub arcsite_attempts: u32,
    /// How often Bidsketch tries in all before it writes to the account's admin. Documented as 20.
    pub bidsketch_attempts: u32,
    /// Whether a retry is signed anew, with the time of the retry. Not documented: a receiver has to bear both.
    pub resign: bool,
    /// How many attempts may be on the wire at once. A delivery that waits for its retry holds no place.
    pub workers: usize,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            time_out: Duration::from_secs(10),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            arcsite_attempts: 10,
            bidsketch_attempts: 20,
            resign: true,
            workers: 4,
        }
    }
}

impl Patience {
    /// For tests: the same rules at pauses of a millisecond.
    pub fn hasty() -> Patience {
        let pause = Duration::from_millis(1);
        Patience { first_pause: pause, longest_pause: pause, ..Patience::default() }
    }

    /// How often a vendor tries in all: at least once.
    pub fn attempts(&self, vendor: Vendor) -> u32 {
        match vendor {
            Vendor::Arcsite => self.arcsite_attempts.max(1),
            Vendor::Bidsketch => self.bidsketch_attempts.max(1),
        }
    }

    /// The pause after so many failed attempts.
    pub fn pause(&self, failed: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failed.saturating_sub(1));
        self.first_pause.saturating_mul(doubled).min(self.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vendor_judges_by_its_own_rule() {
        let judge = |vendor, status| judge(vendor, &Reply::Status(status));
        for status in [200, 201, 204, 299] {
            assert_eq!(judge(Vendor::Arcsite, status), Verdict::Delivered, "{status}");
        }
        for status in [301, 401, 404, 410, 500, 503] {
            assert_eq!(judge(Vendor::Arcsite, status), Verdict::Retry, "{status}");
        }
        assert_eq!(judge(Vendor::Bidsketch, 200), Verdict::Delivered);
        assert_eq!(judge(Vendor::Bidsketch, 410), Verdict::Forget);
        for status in [201, 202, 204, 301, 404, 500] {
            assert_eq!(judge(Vendor::Bidsketch, status), Verdict::Retry, "{status}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let patience = Patience::default();
        let pauses: Vec<u128> = (1..=8).map(|failed| patience.pause(failed).as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(patience.pause(u32::MAX), patience.longest_pause);
    }
}
