//! The paging arguments of every connection.

use super::cursor::{self, ListId};
use crate::domain::LogId;
use crate::graphql::error::ApiError;
use crate::store::read::Window;

/// How many rows a page has where nothing is said.
const PAGE_SIZE_DEFAULT: u64 = 20;
/// How many rows a page may have at most.
const PAGE_SIZE_MAX: i32 = 100;

/// `first`, `after`, `last`, `before` of a connection.
#[derive(Debug)]
pub(crate) struct PageArgs {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
}

impl PageArgs {
    /// The window of a list that they ask for.
    pub(crate) fn window(&self, list: ListId, log: &LogId) -> Result<Window, ApiError> {
        let (limit, from_the_end) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::BadUserInput("give `first` or `last`, not both".to_owned()));
            }
            (first, None) => (page_size("first", first)?, false),
            (None, last) => (page_size("last", last)?, true),
        };
        let place =
            |cursor: &Option<String>| cursor.as_deref().map(|cursor| cursor::decode(list, log, cursor)).transpose();
        Ok(Window { after: place(&self.after)?, before: place(&self.before)?, limit, backward: from_the_end })
    }
}

fn page_size(name: &str, asked: Option<i32>) -> Result<u64, ApiError> {
    match asked {
        None => Ok(PAGE_SIZE_DEFAULT),
        Some(asked) => u64::try_from(asked).ok().filter(|_| asked <= PAGE_SIZE_MAX).ok_or_else(|| {
            ApiError::BadUserInput(format!("`{name}` must be between 0 and {PAGE_SIZE_MAX}, it is {asked}"))
        }),
    }
}

/// What a page costs in the count of a query's complexity: a row's fields times the rows it may have.
pub(crate) fn page_cost(first: Option<i32>, last: Option<i32>, of_a_row: usize) -> usize {
    let asked = first
        .or(last)
        .map_or(PAGE_SIZE_DEFAULT, |rows| u64::try_from(rows.clamp(0, PAGE_SIZE_MAX)).unwrap_or_default());
    usize::try_from(asked).unwrap_or(usize::MAX).saturating_mul(of_a_row).saturating_add(1)
}

/// What a short list without pages is taken to cost: an event rarely has more deliveries than this, or a proposal payments.
pub(crate) const fn short_list_cost(of_a_row: usize) -> usize {
    of_a_row.saturating_mul(5).saturating_add(1)
}
