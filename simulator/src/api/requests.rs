//! The requests so far, for tests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many requests are kept. It bounds memory, since the program can run for weeks.
const REQUESTS_MAX: usize = 10_000;

/// One request, and the status of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `POST`
    pub method: String,
    /// With the base path and the query, if there is one: `/api/v1/clients.json?page=2`
    pub path: String,
    /// The header's value, as received.
    pub authorization: Option<String>,
    /// The body as text. Bytes that are not UTF-8 are replaced.
    pub body: String,
    /// `None` if no answer was sent, or not yet.
    pub status: Option<u16>,
}

/// The newest requests, in the order in which they were complete.
#[derive(Debug, Default)]
pub(super) struct Requests {
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    /// The index of the oldest request in the log.
    first_index: usize,
    requests: VecDeque<Request>,
}

impl Requests {
    /// Records a request and returns its index.
    pub(super) fn record(&self, request: Request) -> usize {
        let mut log = self.log();
        log.requests.push_back(request);
        if log.requests.len() > REQUESTS_MAX {
            log.requests.pop_front();
            log.first_index += 1;
        }
        log.first_index + log.requests.len() - 1
    }

    /// Records the status of a request, if it is still in the log.
    pub(super) fn record_status(&self, index: usize, status: u16) {
        let mut log = self.log();
        if let Some(offset) = index.checked_sub(log.first_index)
            && let Some(request) = log.requests.get_mut(offset)
        {
            request.status = Some(status);
        }
    }

    pub(super) fn all(&self) -> Vec<Request> {
        self.log().requests.iter().cloned().collect()
    }

    /// A panicking thread leaves at most one request too many.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            path: path.to_owned(),
            authorization: None,
            body: String::new(),
            status: None,
        }
    }

    #[test]
    fn status_is_recorded_after_older_requests_are_dropped() {
        let requests = Requests::default();
        let early = requests.record(request("early"));
        let late = (0..REQUESTS_MAX).map(|_| requests.record(request("late"))).last().unwrap();
        requests.record_status(early, 500);
        requests.record_status(late, 200);
        let all = requests.all();
        assert_eq!(all.len(), REQUESTS_MAX);
        assert!(all.iter().all(|request| request.path == "late"));
        assert_eq!(all.iter().filter(|request| request.status.is_some()).count(), 1);
        assert_eq!(all.last().unwrap().status, Some(200));
    }
}
