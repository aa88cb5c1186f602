//! The nesting of JSON texts.

use std::borrow::Cow;

/// How many levels of objects and lists a payload may have. Many parsers give up at some hundred or
/// thousand levels; the documented payloads have 4.
pub const NESTING_LEVELS_MAX: usize = 200;

/// A JSON text with at most `max` levels of objects and lists within each other: a deeper object or
/// list is replaced by `null`. Borrows a text that has no more. It works without recursion, so that
/// no text can exhaust the stack.
#[must_use]
pub fn cut_nesting(json: &str, max: usize) -> Cow<'_, str> {
    // Counting is fast, and most texts have fewer brackets than that in all.
    if json.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count() <= max {
        return Cow::Borrowed(json);
    }
    let (mut level, mut in_string, mut escaped) = (0_usize, false, false);
    let (mut cut, mut copied) = (String::new(), 0);
    for (index, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                level += 1;
                if level == max + 1 {
                    cut.push_str(&json[copied..index]);
                    cut.push_str("null");
                }
            }
            b'}' | b']' if !in_string => {
                if level == max + 1 {
                    copied = index + 1;
                }
                level = level.saturating_sub(1);
            }
            _ => {}
        }
    }
    if cut.is_empty() {
        return Cow::Borrowed(json);
    }
    cut.push_str(&json[copied..]);
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_beyond_the_limit_is_cut() {
        let nested = |levels: usize| format!("{}1{}", r#"{"a":["#.repeat(levels / 2), "]}".repeat(levels / 2));
        assert!(matches!(cut_nesting(&nested(200), 200), Cow::Borrowed(_)));
        assert_eq!(cut_nesting("[[1],[[2],3,{}],4]", 2), "[[1],[null,3,null],4]");
        for levels in [202, 5_000, 1_000_000] {
            let cut = cut_nesting(&nested(levels), 200).into_owned();
            assert_eq!(cut, nested(200).replace('1', "null"), "{levels}");
        }
        // Many beside each other, and brackets in a text.
        let wide = format!("[{}[]]", "[],".repeat(5_000));
        assert_eq!(cut_nesting(&wide, 2), wide);
        let text = format!(r#"{{"a":"{}\"{}\\"}}"#, "[".repeat(500), "{".repeat(500));
        assert_eq!(cut_nesting(&text, 200), text);
    }
}
