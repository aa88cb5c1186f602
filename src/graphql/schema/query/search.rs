//! The search by one text.

use async_graphql::{Context, Object, Result};
use futures_util::future::try_join_all;

use crate::domain::fold;
use crate::graphql::error::{ApiError, OrApiError};
use crate::graphql::execution::selection::Selected;
use crate::graphql::schema::model::search::{SearchResult, load_found};
use crate::store::Reader;
use crate::store::read::search;

/// The default `first`, also written in the `default` of the field.
const RESULTS_DEFAULT: i32 = 10;
/// The largest `first`.
const RESULTS_MAX: usize = 50;
/// The largest length of a folded text, in characters: an order compares as many.
const TEXT_CHARS_MAX: usize = 200;

#[derive(Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// Projects, clients, proposals and drawings that match a text. First come those whose vendor
    /// id, job number or e-mail address is the text, then those whose name, job number or e-mail
    /// address begins with it, then those whose name contains it; among these the one with the
    /// newest event first.
    ///
    /// Names and the e-mail addresses of clients ignore case and how they were typed, as in
    /// `nameContains`. Job numbers and `Proposal.customerEmail` of ArcSite ignore the case of A to
    /// Z. Ids are compared exactly. Names that contain the text are looked for among the 50,000
    /// objects of each type that have the newest events.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The text to look for, 1 to 200 characters. Spaces around it do not count.")] text: String,
        #[graphql(desc = "How many results to return, 0 to 50.", default = 10)] first: Option<i32>,
    ) -> Result<Vec<Selected<SearchResult>>> {
        let limit = check_first(first.unwrap_or(RESULTS_DEFAULT)).or_api_error()?;
        let text = check_text(&text).or_api_error()?;
        let found = search::search(ctx.data::<Reader>()?, text, limit).await.or_api_error()?;
        let results = try_join_all(found.into_iter().map(|found| load_found(ctx, found))).await?;
        Ok(results.into_iter().flatten().map(Selected).collect())
    }
}

fn check_first(first: i32) -> std::result::Result<usize, ApiError> {
    usize::try_from(first)
        .ok()
        .filter(|first| *first <= RESULTS_MAX)
        .ok_or_else(|| ApiError::BadUserInput(format!("`first` must be between 0 and {RESULTS_MAX}, it is {first}")))
}

fn check_text(text: &str) -> std::result::Result<&str, ApiError> {
    let text = text.trim();
    let length = fold(text).chars().count();
    if length == 0 {
        return Err(ApiError::BadUserInput("`text` is empty, or has invisible characters only".to_owned()));
    }
    if length > TEXT_CHARS_MAX {
        let problem = format!("`text` may have at most {TEXT_CHARS_MAX} characters, with ligatures spelled out");
        return Err(ApiError::BadUserInput(problem));
    }
    Ok(text)
}
