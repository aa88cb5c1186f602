//! What came, for tests to look at.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many requests are kept. It bounds memory: the program can run for weeks.
const MOST_KEPT: usize = 10_000;

/// One request as it came in, and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `POST`
    pub method: String,
    /// With the base and, where there is one, the query: `/api/v1/clients.json?page=2`
    pub path: String,
    /// The header as it was sent.
    pub authorization: Option<String>,
    /// The body as text; bytes that are no UTF-8 are replaced.
    pub body: String,
    /// `None` as long as, or when, no answer was sent.
    pub status: Option<u16>,
}

/// The newest requests, in the order in which they had come in whole.
#[derive(Debug, Default)]
pub(super) struct Requests {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The number of the oldest that is still kept.
    first: usize,
    requests: VecDeque<Request>,
}

impl Requests {
    /// Notes a request and gives its number.
    pub(super) fn begun(&self, request: Request) -> usize {
        let mut kept = self.kept();
        kept.requests.push_back(request);
        if kept.requests.len() > MOST_KEPT {
            kept.requests.pop_front();
            kept.first += 1;
        }
        kept.first + kept.requests.len() - 1
    }

    /// Notes what the request of this number is answered, if it is still kept.
    pub(super) fn answered(&self, number: usize, status: u16) {
        let mut kept = self.kept();
        if let Some(at) = number.checked_sub(kept.first)
            && let Some(request) = kept.requests.get_mut(at)
        {
            request.status = Some(status);
        }
    }

    pub(super) fn all(&self) -> Vec<Request> {
        self.kept().requests.iter().cloned().collect()
    }

    /// A thread that panicked midway has at worst left one request too many.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn an_answer_finds_its_request_when_older_ones_are_forgotten() {
        let requests = Requests::default();
        let early = requests.begun(request("early"));
        let late = (0..MOST_KEPT).map(|_| requests.begun(request("late"))).last().unwrap();
        requests.answered(early, 500);
        requests.answered(late, 200);
        let all = requests.all();
        assert_eq!(all.len(), MOST_KEPT);
        assert!(all.iter().all(|request| request.path == "late"));
        assert_eq!(all.iter().filter(|request| request.status.is_some()).count(), 1);
        assert_eq!(all.last().unwrap().status, Some(200));
    }
}
