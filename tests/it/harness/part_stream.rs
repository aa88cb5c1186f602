//! A client of Apollo's multipart protocol for subscriptions that checks every byte of the stream.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Client, within};

/// The request time-out, longer than any stream in a test.
const STREAM_TIMEOUT: Duration = Duration::from_secs(120);

const BOUNDARY: &str = "\r\n--graphql";
const PART_HEADER: &str = "\r\nContent-Type: application/json\r\n\r\n";

/// An open stream of parts.
pub(crate) struct PartStream {
    response: Response,
    unread: String,
}

impl PartStream {
    /// A POST request for a stream, as Apollo Client sends it.
    pub(crate) fn request(client: &Client, query: &str, variables: Value) -> RequestBuilder {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = client.request(Method::POST, "/graphql").header("content-type", "application/json");
        request.header("accept", "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json").body(body)
    }

    /// Sends a request whose response must be a stream of parts.
    pub(crate) async fn open(request: RequestBuilder) -> Self {
        let response = within("the stream opens", request.timeout(STREAM_TIMEOUT).send()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, unread: String::new() }
    }

    /// The next part, a heartbeat too. `None` at the end of the stream. A part is complete with the
    /// boundary after it.
    pub(crate) async fn part(&mut self) -> Option<Value> {
        loop {
            if let Some(rest) = self.unread.strip_prefix(BOUNDARY)
                && let Some(end) = rest.find(BOUNDARY)
            {
                let part = rest[..end].strip_prefix(PART_HEADER).unwrap_or_else(|| panic!("{rest:?}"));
                let part = serde_json::from_str(part).unwrap();
                self.unread = rest[end..].to_owned();
                return Some(part);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next part that is no heartbeat.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        within("a part comes", async {
            loop {
                match self.part().await {
                    Some(part) if part == json!({}) => {}
                    part => return part,
                }
            }
        })
        .await
    }

    /// The response in the next part.
    pub(crate) async fn response(&mut self) -> Value {
        let mut part = self.next().await.expect("the stream continues");
        let payload = part["payload"].take();
        assert_eq!(part, json!({ "payload": null }), "a part has no other member");
        payload
    }

    /// Asserts that the operation completes and the stream ends.
    pub(crate) async fn assert_completes(mut self) {
        assert_eq!(self.next().await, None);
        assert_eq!(self.unread, format!("{BOUNDARY}--\r\n"));
    }

    /// Asserts that the stream ends without the end of the operation.
    pub(crate) async fn assert_interrupted(mut self) {
        assert_eq!(self.next().await, None);
        assert!(!self.unread.ends_with("--\r\n"), "{}", self.unread);
    }
}
