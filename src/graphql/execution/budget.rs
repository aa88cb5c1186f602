//! What one request may cost. The fields and loaders take from it while they run; here it ends the
//! request.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_graphql::{Name, ServerError, ServerResult, Value};
use tokio::time::{Instant, timeout_at};

use super::limits::error_with_code;
use crate::config::Graphql;
use crate::graphql::error::{ApiError, LIMIT_EXCEEDED};
use crate::metrics::OVER_BUDGET;
use crate::store::StoreError;
use crate::store::budget::{Budget, BudgetLimits, Exceeded};

/// The budget of one request, or of all requests of a batch together.
#[derive(Clone, Debug)]
pub struct RequestBudget(pub(super) Arc<Budget>);

impl RequestBudget {
    pub(super) fn new(limits: &Graphql) -> Self {
        Self(Arc::new(Budget::new(BudgetLimits {
            rows: limits.max_rows,
            bytes: limits.max_response_bytes,
            time: Duration::from_secs(limits.max_seconds),
        })))
    }

    /// Begins again, for the next message of a subscription.
    pub(crate) fn renew(&self) {
        self.0.renew();
    }

    /// Runs a request until it has used up its budget. A mutation is not cut off by time: it may
    /// wait for Bidsketch, and what it has begun must end.
    pub(super) async fn drive<F: Future>(&self, request: F, is_timed: bool) -> Result<F::Output, Exceeded> {
        let mut request = pin!(request);
        let driven = poll_fn(|cx| {
            let output = request.as_mut().poll(cx);
            match self.exceeded() {
                Some(exceeded) => Poll::Ready(Err(exceeded)),
                None => output.map(Ok),
            }
        });
        if !is_timed {
            return driven.await;
        }
        timeout_at(Instant::from_std(self.0.deadline()), driven).await.unwrap_or_else(|_| {
            self.0.exceed(Exceeded::Time);
            Err(Exceeded::Time)
        })
    }

    /// What is exceeded, if anything is.
    pub(super) fn exceeded(&self) -> Option<Exceeded> {
        self.0.exceeded()
    }

    /// Takes the bytes of a value that is a leaf of the answer, with its name.
    pub(super) fn take_leaf(&self, name: &Name, value: &Value) -> ServerResult<()> {
        self.take(name.len() + 4 + json_length(value))
    }

    /// Takes the bytes around an object or a list, with its name.
    pub(super) fn take_parent(&self, name: &Name) -> ServerResult<()> {
        self.take(name.len() + 6)
    }

    fn take(&self, bytes: usize) -> ServerResult<()> {
        self.0.take_bytes_to_answer(bytes).map_err(|error: StoreError| {
            ApiError::from(error).into_graphql_error().into_server_error(async_graphql::Pos::default())
        })
    }
}

/// The error of a request that has used up its budget.
pub(super) fn over_budget(exceeded: Exceeded, limits: &Graphql) -> ServerError {
    let (label, message) = match exceeded {
        Exceeded::Rows => (
            "rows",
            format!(
                "the request reads more rows than graphql.max_rows ({}); request smaller pages, or search in fewer events",
                limits.max_rows
            ),
        ),
        Exceeded::Bytes => (
            "bytes",
            format!(
                "the answer, or what is read for it, has more bytes than graphql.max_response_bytes ({}); request \
                 smaller pages or fewer fields",
                limits.max_response_bytes
            ),
        ),
        Exceeded::Time => (
            "time",
            format!(
                "the request takes longer than graphql.max_seconds ({}); request less at once, or a narrower filter",
                limits.max_seconds
            ),
        ),
    };
    metrics::counter!(OVER_BUDGET, "limit" => label).increment(1);
    error_with_code(message, LIMIT_EXCEEDED)
}

/// How many bytes of JSON a value has.
fn json_length(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Boolean(_) => 5,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text_length(text),
        Value::Enum(name) => name.len() + 2,
        Value::Binary(bytes) => bytes.len().saturating_mul(4),
        Value::List(items) => items.iter().map(|item| json_length(item) + 1).sum::<usize>() + 2,
        // Raw JSON, or the members of an object.
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + 4 + json_length(value)).sum(),
    }
}

/// How many bytes of JSON a text has, with quotes and escapes. Most of an answer is text: the sums
/// of blocks, without a branch, are what the compiler turns into vector instructions.
fn text_length(text: &str) -> usize {
    let added_by_escape = |byte: &u8| {
        let is_short = matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t' | b'\x08' | b'\x0c');
        u8::from(is_short) + 5 * u8::from(*byte < 0x20 && !is_short)
    };
    // 32 times 5 fits into a byte.
    let blocks = text.as_bytes().chunks(32);
    let escapes = blocks.map(|block| usize::from(block.iter().map(added_by_escape).sum::<u8>()));
    text.len() + escapes.sum::<usize>() + 2
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    #[test]
    fn length_is_that_of_the_written_json() {
        let every_character = (0..=0x100).filter_map(char::from_u32).collect::<String>().repeat(3);
        let controls = "\u{1}".repeat(100);
        for value in
            [value!(every_character), value!(controls), value!(null), value!(-12.5), value!(true), value!(["a", "b"])]
        {
            let written = serde_json::to_vec(&value).unwrap().len();
            assert!((written..=written + 1).contains(&json_length(&value)), "{value}");
        }
    }
}
