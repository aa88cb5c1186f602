//! Amounts as the vendors write them: JSON numbers, whole or decimal.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An amount in cents. Serialises as a number without trailing zeros: `1940`, `39.39`, `-12.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// Zero.
    pub const ZERO: Money = Money(0);

    /// Creates an amount from cents.
    pub const fn cents(cents: i64) -> Money {
        Money(cents)
    }

    /// Creates an amount from whole units.
    pub const fn whole(units: i64) -> Money {
        Money(units * 100)
    }

    /// A percentage of it, rounded down to a cent.
    #[must_use]
    pub const fn percent(self, percent: i64) -> Money {
        Money(self.0 * percent / 100)
    }
}

/// Always two decimals: `1250.00`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(all: I) -> Money {
        all.fold(Money::ZERO, Add::add)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        // `5.00` becomes `5`, but `50.00` becomes `50`: zeros are trimmed only behind the point,
        // which is always there.
        number(text.trim_end_matches('0').trim_end_matches('.'), to)
    }
}

/// Writes exactly two decimals, as ArcSite does for the amount of a payment: `1250.00`.
pub(crate) fn two_decimals<S: Serializer>(money: &Money, to: S) -> Result<S::Ok, S::Error> {
    number(&money.to_string(), to)
}

/// Writes the digits as they are. A float would change some amounts.
fn number<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(text.to_owned()).map_err(S::Error::custom)?.serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_without_trailing_zeros() {
        let written = |cents| serde_json::to_string(&Money::cents(cents)).unwrap();
        assert_eq!(written(0), "0");
        assert_eq!(written(5_000), "50");
        assert_eq!(written(-1_250), "-12.5");
        assert_eq!(written(3_939), "39.39");
        assert_eq!(written(1), "0.01");
    }

    #[test]
    fn two_decimals_are_always_written() {
        #[derive(Serialize)]
        struct Paid(#[serde(serialize_with = "two_decimals")] Money);
        assert_eq!(serde_json::to_string(&Paid(Money::whole(1_250))).unwrap(), "1250.00");
    }
}
