//! Money as a whole number of ten-thousandths. No float is used between the vendor's digits and the
//! client's.

use std::fmt;

use serde::Deserialize;

/// An amount in ten-thousandths of its currency's unit. Holds ±922 trillion; finer digits are
/// rounded half away from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

/// The number of digits after the decimal point.
const SCALE: i64 = 4;

impl Money {
    /// Parses a number as JSON writes it (`7385`, `7385.00`, `-1.5e3`). `None` if the text is not
    /// such a number, or if it is too large.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !all_digits(whole)
            || !all_digits(fraction)
            || (mantissa.contains('.') && fraction.is_empty())
        {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte - b'0'));
        // The decimal place of a digit: 0 is the ten-thousandth.
        let mut place = i64::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(SCALE)?;
        let mut value: i128 = 0;
        for digit in digits {
            place -= 1;
            if place >= 0 {
                value = value.checked_mul(10)?.checked_add(digit)?;
            } else {
                if place == -1 && digit >= 5 {
                    value += 1;
                }
                break;
            }
        }
        if value != 0 {
            for _ in 0..place.clamp(0, 40) {
                value = value.checked_mul(10)?;
            }
        }
        i64::try_from(if negative { -value } else { value }).ok().map(Self)
    }
}

impl fmt::Display for Money {
    /// An exact decimal with two to four digits after the point: `7385.00`, `0.125`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(self.0.into()))
    }
}

/// A number of ten-thousandths as [`Money`] shows it. A sum of amounts may be larger than one.
#[must_use]
pub fn decimal(units: i128) -> String {
    let unsigned = units.unsigned_abs();
    let fraction = format!("{:04}", unsigned % 10_000);
    let length = fraction.trim_end_matches('0').len().max(2);
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{}.{}", unsigned / 10_000, &fraction[..length])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parse_json_number_returns_amount() {
        for (text, displayed) in [
            ("7385", "7385.00"),
            ("7385.00", "7385.00"),
            ("7385.5", "7385.50"),
            ("-250", "-250.00"),
            ("0.125", "0.125"),
            ("0.12345", "0.1235"),
            ("0.12344999", "0.1234"),
            ("-0.00005", "-0.0001"),
            ("0.00004", "0.00"),
            ("1.5e3", "1500.00"),
            ("1E-2", "0.01"),
            ("12e-5", "0.0001"),
            ("0e999999999999", "0.00"),
            ("922337203685477.5807", "922337203685477.5807"),
        ] {
            assert_eq!(Money::parse(text).map(|money| money.to_string()).as_deref(), Some(displayed), "{text}");
        }
    }

    #[test]
    fn parse_malformed_amount_returns_none() {
        for text in ["", "-", ".5", "5.", "1e", "abc", "1,5", "0x10", "922337203685477.5808", "1e15", "1e999999999"] {
            assert_eq!(Money::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn displayed_amount_parses_back(units in any::<i64>()) {
            prop_assert_eq!(Money::parse(&Money(units).to_string()), Some(Money(units)));
        }

        #[test]
        fn parse_any_text_never_panics(text in "[-0-9.eE+]{0,30}") {
            let _ = Money::parse(&text);
        }
    }
}
