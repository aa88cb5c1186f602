//! The vendors' rules: the meaning of an answer, and how often a delivery is retried.

use std::fmt;
use std::time::Duration;

use crate::hook::Vendor;

/// The reply to one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer with this status.
    Status(u16),
    /// No answer before the time-out.
    TimedOut,
    /// No connection, or a broken one: the reason.
    Broken(String),
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Status(status) => write!(f, "{status}"),
            Reply::TimedOut => f.write_str("no answer in time"),
            Reply::Broken(reason) => f.write_str(reason),
        }
    }
}

/// A vendor's verdict on a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The hook is delivered.
    Delivered,
    /// The delivery is retried, if attempts are left.
    Retry,
    /// The webhook is deleted.
    Forget,
}

/// Judges a reply by the vendor's rule.
///
/// ArcSite: any 2xx is delivered; 3xx, 4xx (410 included), 5xx and silence are retried. Bidsketch:
/// exactly `200 OK` is delivered, 410 deletes the webhook, and everything else is retried,
/// including 201 and 204.
pub fn judge(vendor: Vendor, reply: &Reply) -> Verdict {
    match (vendor, reply) {
        (Vendor::Arcsite, Reply::Status(200..=299)) | (Vendor::Bidsketch, Reply::Status(200)) => Verdict::Delivered,
        (Vendor::Bidsketch, Reply::Status(410)) => Verdict::Forget,
        (Vendor::Arcsite | Vendor::Bidsketch, Reply::Status(_) | Reply::TimedOut | Reply::Broken(_)) => Verdict::Retry,
    }
}

/// The time-out, number and spacing of attempts.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// How long one attempt may take. ArcSite wants its answer "quickly"; the figure is a guess.
    pub time_out: Duration,
    /// The pause after the first failed attempt. It doubles after each further one. No vendor
    /// documents its spacing.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How many attempts ArcSite makes. Documented as "certain times".
    pub arcsite_attempts: u32,
    /// How many attempts Bidsketch makes before it e-mails the account's admin. Documented as 20.
    pub bidsketch_attempts: u32,
    /// Whether a retry is signed again, with the time of the retry. Not documented: a receiver must
    /// accept both.
    pub resign: bool,
    /// How many attempts may be in flight at once. A delivery that waits for its retry does not
    /// count.
    pub workers: usize,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
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

impl RetryPolicy {
    /// The same rules with pauses of a millisecond, for tests.
    pub fn fast() -> RetryPolicy {
        let pause = Duration::from_millis(1);
        RetryPolicy { first_pause: pause, longest_pause: pause, ..RetryPolicy::default() }
    }

    /// How many attempts a vendor makes: at least one.
    pub fn attempts(&self, vendor: Vendor) -> u32 {
        match vendor {
            Vendor::Arcsite => self.arcsite_attempts.max(1),
            Vendor::Bidsketch => self.bidsketch_attempts.max(1),
        }
    }

    /// The pause after this number of failed attempts.
    pub fn pause(&self, failed: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failed.saturating_sub(1));
        self.first_pause.saturating_mul(doubled).min(self.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_is_judged_by_its_vendor_rule() {
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
    fn pause_doubles_up_to_the_longest() {
        let policy = RetryPolicy::default();
        let pauses: Vec<u128> = (1..=8).map(|failed| policy.pause(failed).as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(policy.pause(u32::MAX), policy.longest_pause);
    }
}
