//! Documents that would cost the service much more than their client: each is answered, or refused
//! by the limit that it exceeds, on every transport. None ends the process.

use serde_json::Value;

mod generated;
mod table;

/// What the answer to a request must be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    /// Data without errors.
    Data,
    /// A refusal by this limit.
    Limit(&'static str),
    /// A refusal of a wrong document, whose message has this text.
    Wrong(&'static str),
}

/// `count` texts that `make` makes, one after another.
fn repeat(count: usize, make: impl Fn(usize) -> String) -> String {
    (0..count).map(make).collect::<Vec<_>>().join(" ")
}

/// `inner` in `depth` pairs of these brackets.
fn nested(depth: usize, open: &str, inner: &str, close: &str) -> String {
    open.repeat(depth) + inner + &close.repeat(depth)
}

fn ids(count: usize) -> Value {
    (0..count).map(|id| format!("project:{id}")).collect()
}

/// Checks a response, and that its errors are small.
#[track_caller]
fn assert_answer(name: &str, response: &Value, expected: Answer) {
    assert!(is_answer(response, expected), "{name}: {expected:?} expected; {}", shown(response));
}

fn is_answer(response: &Value, expected: Answer) -> bool {
    let errors = response["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let message = |error: &Value| error["message"].as_str().unwrap_or_default().to_owned();
    let is_small = |error| message(error).chars().count() <= 1001 && !message(error).contains(&"x".repeat(101));
    if errors.len() > 100 || !errors.iter().all(is_small) {
        return false;
    }
    let is_coded = |code: &str| errors.first().is_some_and(|error| error["extensions"]["code"] == code);
    let first = errors.first().map(message).unwrap_or_default();
    match expected {
        Answer::Data => errors.is_empty() && response["data"].is_object(),
        Answer::Limit(setting) => {
            let number = first.split(&format!("graphql.{setting} (")).nth(1).unwrap_or_default();
            errors.len() == 1 && is_coded("LIMIT_EXCEEDED") && number.starts_with(|digit: char| digit.is_ascii_digit())
        }
        Answer::Wrong(text) => is_coded("BAD_USER_INPUT") && first.contains(text),
    }
}

fn shown(response: &Value) -> String {
    response.to_string().chars().take(500).collect()
}
