//! Amounts: numbers, and texts as people write them.

use super::{FromJson, Unread, is_number, mismatch_message, parse_string};
use crate::domain::Money;

impl FromJson for Money {
    /// A number, with or without quotes, or a text with a currency and thousands separators. An
    /// empty text is no value. A text that has two readings is an error.
    fn from_json(json: &str, _: &mut Unread) -> Result<Option<Self>, String> {
        let mismatch = || mismatch_message("an amount", json);
        if is_number(json) {
            return Self::parse(json).map(Some).ok_or_else(mismatch);
        }
        let text = parse_string(json).ok_or_else(mismatch)?;
        match text.trim() {
            "" => Ok(None),
            text => Self::parse(text).or_else(|| parse_written(text)).map(Some).ok_or_else(mismatch),
        }
    }
}

/// Reads an amount as people write it: `$7,385.00`, `-1.234,50 €`, `USD 7 385`. `None` if the text
/// is not an amount, or has two readings: `7,385` is seven thousand to one reader and seven to
/// another.
fn parse_written(text: &str) -> Option<Money> {
    let (mut negative, mut rest) = strip_sign(text);
    if let Some(after) = strip_currency(rest) {
        // The sign may stand on either side of the currency, but not on both.
        let (inner, after) = strip_sign(after);
        if inner && negative {
            return None;
        }
        negative |= inner;
        rest = after;
    } else if let Some(before) = strip_currency_suffix(rest) {
        rest = before;
    }
    let digits = plain_number(rest)?;
    Money::parse(&if negative { format!("-{digits}") } else { digits })
}

/// Whether a minus sign leads, and the text after a leading sign.
fn strip_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').map_or(text, str::trim_start)),
    }
}

fn strip_currency(text: &str) -> Option<&str> {
    let rest = match text.strip_prefix(is_currency_sign) {
        Some(rest) => rest,
        None => text.get(3..).filter(|_| text.as_bytes()[..3].iter().all(u8::is_ascii_uppercase))?,
    };
    Some(rest.trim_start())
}

fn strip_currency_suffix(text: &str) -> Option<&str> {
    let rest = match text.strip_suffix(is_currency_sign) {
        Some(rest) => rest,
        None => {
            let (rest, code) = text.split_at_checked(text.len().checked_sub(3)?)?;
            Some(rest).filter(|_| code.bytes().all(|letter| letter.is_ascii_uppercase()))?
        }
    };
    Some(rest.trim_end())
}

/// The dollar, cent-less signs of Latin-1, and the block of currency symbols.
fn is_currency_sign(letter: char) -> bool {
    matches!(letter, '$' | '£' | '¤' | '¥' | '\u{20a0}'..='\u{20c0}')
}

/// Removes the thousands separators of a number without a sign. `None` if it has two readings.
fn plain_number(text: &str) -> Option<String> {
    let separators: Vec<char> = text.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    let (grouping, decimal) = match separators.as_slice() {
        [] => (None, None),
        // Only the last one can be a decimal sign, and only if the others differ from it.
        [groups @ .., last] if is_decimal_sign(*last) && groups.iter().all(|group| group != last) => {
            let parts = (groups.first().copied(), Some(*last));
            if groups.is_empty() { single_separator(text, *last)? } else { parts }
        }
        [first, ..] => (Some(*first), None),
    };
    let (whole, fraction) = match decimal {
        Some(decimal) => text.rsplit_once(decimal)?,
        None => (text, ""),
    };
    let whole = match grouping {
        Some(separator) => join_groups(whole, separator)?,
        None => whole.to_owned(),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(&whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { &whole };
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

const fn is_decimal_sign(letter: char) -> bool {
    matches!(letter, '.' | ',')
}

/// What the only separator of a number means: grouping and decimal sign. A point is the decimal
/// sign of every number in JSON. A comma before three digits may be either.
fn single_separator(text: &str, separator: char) -> Option<(Option<char>, Option<char>)> {
    let (whole, fraction) = text.split_once(separator)?;
    let may_group = fraction.len() == 3 && matches!(whole.len(), 1..=3) && !whole.starts_with('0');
    (separator == '.' || !may_group).then_some((None, Some(separator)))
}

/// Joins groups of three digits. Only one kind of separator may stand between them.
fn join_groups(whole: &str, separator: char) -> Option<String> {
    if !matches!(separator, '.' | ',' | '\'' | '\u{2019}' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}') {
        return None;
    }
    let mut groups = whole.split(separator);
    let first = groups.next().filter(|first| matches!(first.len(), 1..=3) && !first.starts_with('0'))?;
    let mut joined = first.to_owned();
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        joined.push_str(group);
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        let json = serde_json::to_string(text).unwrap();
        Money::from_json(&json, &mut Unread::default()).ok().flatten().map(|money| money.to_string())
    }

    #[test]
    fn written_amount_with_one_reading_is_read() {
        for (text, amount) in [
            ("7,385.00", "7385.00"),
            ("$7,385.00", "7385.00"),
            ("$ 7,385.5", "7385.50"),
            ("-$250.00", "-250.00"),
            ("$-250.00", "-250.00"),
            ("\u{2212}250", "-250.00"),
            ("+12.5", "12.50"),
            ("1,234,567", "1234567.00"),
            ("1,234,567.89", "1234567.89"),
            ("7.385,00", "7385.00"),
            ("1.234.567", "1234567.00"),
            ("7385,00", "7385.00"),
            ("7,5", "7.50"),
            ("0,125", "0.125"),
            ("7 385,00 €", "7385.00"),
            ("7\u{a0}385,00\u{a0}€", "7385.00"),
            ("7\u{202f}385.00", "7385.00"),
            ("7'385.00", "7385.00"),
            ("USD 7,385.00", "7385.00"),
            ("7385.00 USD", "7385.00"),
            ("£10", "10.00"),
            (".5", "0.50"),
            ("5.", "5.00"),
            ("7.385", "7.385"),
            (" 12 ", "12.00"),
        ] {
            assert_eq!(read(text).as_deref(), Some(amount), "{text}");
        }
    }

    #[test]
    fn written_amount_with_two_readings_or_none_is_rejected() {
        for text in [
            "$7,385x",
            "7,385",
            "$7,385",
            "$7,385 approx",
            "much",
            "10%",
            "1,23,456",
            "1,2345.00",
            "12,34,567.00",
            "1.2.3",
            "0,385.00",
            "--5",
            "-$-5",
            "(250.00)",
            "250-",
            "$",
            "USD",
            ",",
            ".",
            "1_000",
            "1e",
            "12 34",
            "7.385,00.00",
            "1,234.567.890",
            "٣",
            "N/A",
            "null",
            "$5 €",
            "USD5USD",
            "éé",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parse_any_text_never_panics(text in ".{0,30}", amount in "[-+$€0-9.,' A-Z\u{a0}]{0,20}") {
            let _ = (read(&text), read(&amount));
        }

        #[test]
        fn amount_with_separators_reads_as_without(units in 0_u64..1_000_000_000_000, cents in 0_u8..100) {
            let digits = units.to_string();
            let grouped = |separator: &str| {
                let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
                groups.join(separator)
            };
            let expected = Money::parse(&format!("{digits}.{cents:02}")).map(|money| money.to_string());
            for text in [
                format!("{}.{cents:02}", grouped(",")),
                format!("${}.{cents:02}", grouped(",")),
                format!("{},{cents:02} €", grouped(".")),
                format!("{},{cents:02}", grouped("\u{a0}")),
            ] {
                prop_assert_eq!(read(&text), expected.clone(), "{}", text);
            }
        }
    }
}
