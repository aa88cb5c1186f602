//! The pages of clients and proposals: lists, single objects, a count.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde::Serialize;
use serde_json::value::RawValue;

use super::account::Account;
use super::refusal::Refusal;
use super::webhooks::parse_id;
use super::world::{ClientInList, ProposalInList};

/// The default and the maximum number of objects on a page.
const PAGE_SIZE_MAX: usize = 100;

type Answer<T> = Result<Json<T>, Refusal>;

/// `GET /proposals/stats.json`
#[derive(Debug, Serialize)]
pub(super) struct Stats {
    total: usize,
}

/// `GET /clients.json`
pub(super) async fn clients(State(account): State<Arc<Account>>, RawQuery(query): RawQuery) -> Json<Vec<ClientInList>> {
    Json(page(account.world().clients(), query.as_deref()))
}

/// `GET /clients/{id}.json`
pub(super) async fn client(State(account): State<Arc<Account>>, Path(file): Path<String>) -> Answer<Box<RawValue>> {
    account.world().client(parse_id(&file)?).map(Json).ok_or(Refusal::NotFound)
}

/// `GET /clients/{id}/proposals.json`
pub(super) async fn client_proposals(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Vec<ProposalInList>> {
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    let world = account.world();
    let proposals = world.proposals_of(id).ok_or(Refusal::NotFound)?;
    Ok(Json(page(proposals, query.as_deref())))
}

/// `GET /proposals.json`
pub(super) async fn proposals(
    State(account): State<Arc<Account>>,
    RawQuery(query): RawQuery,
) -> Json<Vec<ProposalInList>> {
    Json(page(account.world().proposals(), query.as_deref()))
}

/// `GET /proposals/{id}.json`
pub(super) async fn proposal(State(account): State<Arc<Account>>, Path(file): Path<String>) -> Answer<Box<RawValue>> {
    account.world().proposal(parse_id(&file)?).map(Json).ok_or(Refusal::NotFound)
}

/// `GET /proposals/stats.json`
pub(super) async fn stats(State(account): State<Arc<Account>>) -> Json<Stats> {
    Json(Stats { total: account.world().proposals().count() })
}

/// Returns the part of a list that the query's `page` and `per_page` name. The meaning of zero or
/// of an invalid number is not documented: here they count as missing.
fn page<'a, T: Clone + 'a>(all: impl Iterator<Item = &'a T>, query: Option<&str>) -> Vec<T> {
    let number = |name: &str| {
        let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(key, _)| *key == name)
            .find_map(|(_, value)| value.parse::<usize>().ok())
            .filter(|&number| number > 0)
    };
    let per_page = number("per_page").unwrap_or(PAGE_SIZE_MAX).min(PAGE_SIZE_MAX);
    let skipped = (number("page").unwrap_or(1) - 1).saturating_mul(per_page);
    all.skip(skipped).take(per_page).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_the_part_that_the_query_names() {
        let all: Vec<usize> = (1..=250).collect();
        let page = |query| page(all.iter(), query);
        assert_eq!(page(None), &all[..100]);
        assert_eq!(page(Some("page=3")), &all[200..]);
        assert_eq!(page(Some("per_page=2")), [1, 2]);
        assert_eq!(page(Some("page=8&per_page=1")), [8]);
        assert_eq!(page(Some("per_page=101&page=2")), &all[100..200], "at most 100");
        assert_eq!(page(Some("page=4")), [0; 0]);
        assert_eq!(page(Some("page=18446744073709551615")), [0; 0]);
        for ignored in ["page=0", "page=x", "per_page=0", "per_page=-1", "page", "&&", "pages=2"] {
            assert_eq!(page(Some(ignored)), &all[..100], "{ignored}");
        }
    }
}
