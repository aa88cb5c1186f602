//! The answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::Options;
use super::body::File;
use super::fault::{self, Fault};
use crate::arcsite::Links;
use crate::clock;
use crate::sample::Sampler;

/// How many requests are kept.
const REQUESTS_MAX: usize = 10_000;

/// What the connections share.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) links: Links,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    sampler: Sampler,
    faults: VecDeque<Fault>,
    requests: VecDeque<(String, u16)>,
    last_request: Option<Instant>,
}

impl State {
    pub(super) fn new(options: Options, links: Links) -> State {
        let inner = Inner {
            sampler: Sampler::new(options.seed),
            faults: VecDeque::new(),
            requests: VecDeque::new(),
            last_request: None,
        };
        State { options, links, inner: Mutex::new(inner) }
    }

    pub(super) fn queue(&self, fault: Fault) {
        self.inner().faults.push_back(fault);
    }

    pub(super) fn requests(&self) -> Vec<(String, u16)> {
        self.inner().requests.iter().cloned().collect()
    }

    pub(super) fn last_request(&self) -> Option<Instant> {
        self.inner().last_request
    }

    /// Whether the file of a link is lost, the same for every request.
    pub(super) fn is_lost(&self, query: &str) -> bool {
        f64::from(draw(query)) / 65_536.0 < self.options.lost
    }

    /// The fault of the next answer: a queued one, else by chance.
    fn take_fault(&self) -> Option<Fault> {
        let mut inner = self.inner();
        inner.last_request = Some(Instant::now());
        if let Some(fault) = inner.faults.pop_front() {
            return Some(fault);
        }
        let is_failing = inner.sampler.chance(self.options.failing);
        is_failing.then(|| Fault::sample(&mut inner.sampler, self.options.slow))
    }

    fn record(&self, request: String, status: StatusCode) {
        let mut inner = self.inner();
        inner.last_request = Some(Instant::now());
        if inner.requests.len() >= REQUESTS_MAX {
            inner.requests.pop_front();
        }
        inner.requests.push_back((request, status.as_u16()));
    }

    /// A panicking thread leaves the state valid.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that a link always has.
fn draw(query: &str) -> u16 {
    let digest = Sha256::digest(query);
    u16::from_be_bytes([digest[0], digest[1]])
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new().fallback(answer).with_state(state)
}

async fn answer(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let path = request.uri().path().trim_start_matches('/');
    let response = if request.method() == Method::GET {
        file(&state, path, request.uri().query().unwrap_or_default())
    } else {
        fault::refuse(StatusCode::METHOD_NOT_ALLOWED)
    };
    state.record(target, response.status());
    response
}

/// The file of a link, or what goes wrong with it.
fn file(state: &State, path: &str, query: &str) -> Response {
    let fault = state.take_fault();
    // CloudFront answers 403 to a forged link, to a dead one and for a file that is not there.
    let Ok(version) = state.links.check(path, query, clock::now()) else { return fault::refuse(StatusCode::FORBIDDEN) };
    if state.is_lost(query) {
        return if draw(query).is_multiple_of(2) { fault::refuse(StatusCode::NOT_FOUND) } else { fault::wrong_type() };
    }
    let Some(file) = File::at(path, version, state.options.pdf_bytes) else {
        return fault::refuse(StatusCode::FORBIDDEN);
    };
    let length = file.len();
    let body = match fault {
        None => file.body(),
        Some(Fault::Cut) => file.cut_body(),
        Some(Fault::Slow(time)) => file.slow_body(time),
        Some(Fault::Status(status)) => {
            return fault::refuse(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        }
        Some(Fault::RetryAfter(time)) => return fault::retry_after(time),
        Some(Fault::Page) => return fault::page(),
        Some(Fault::WrongType) => return fault::wrong_type(),
    };
    let content_type = if path.ends_with(".png") { "image/png" } else { "application/pdf" };
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(content_type)), (CONTENT_LENGTH, length.into())];
    (headers, body).into_response()
}
