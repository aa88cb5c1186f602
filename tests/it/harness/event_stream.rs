//! A client of `graphql-sse` that exposes every byte of the stream.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Client, within};

/// The request time-out, longer than any stream in a test.
const STREAM_TIMEOUT: Duration = Duration::from_secs(120);

/// An open event stream.
pub(crate) struct EventStream {
    response: Response,
    unread: String,
}

/// One event of the stream.
#[derive(Debug, PartialEq)]
pub(crate) struct StreamEvent {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    /// The GraphQL response, or null if the event has none.
    pub(crate) data: Value,
}

impl EventStream {
    /// A POST request for an event stream.
    pub(crate) fn request(client: &Client, query: &str, variables: Value) -> RequestBuilder {
        Self::request_to(client, "/graphql/sse", query, variables)
    }

    /// The same request to another path.
    pub(crate) fn request_to(client: &Client, path: &str, query: &str, variables: Value) -> RequestBuilder {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = client.request(Method::POST, path).header("content-type", "application/json");
        request.header("accept", "text/event-stream").body(body)
    }

    /// Sends a request whose response must be an event stream.
    pub(crate) async fn open(request: RequestBuilder) -> Self {
        let response = within("the stream opens", request.timeout(STREAM_TIMEOUT).send()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, unread: String::new() }
    }

    /// The raw text of the next event or comment, or `None` at the end of the stream.
    pub(crate) async fn text(&mut self) -> Option<String> {
        loop {
            if let Some((text, rest)) = self.unread.split_once("\n\n") {
                let text = text.to_owned();
                self.unread = rest.to_owned();
                return Some(text);
            }
            let Some(chunk) = self.response.chunk().await.unwrap() else {
                assert_eq!(self.unread, "", "the stream ended inside an event");
                return None;
            };
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event, or `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<StreamEvent> {
        within("an event comes", async {
            loop {
                let text = self.text().await?;
                if text.starts_with(':') {
                    continue;
                }
                let mut event = StreamEvent { name: String::new(), id: None, data: Value::Null };
                let mut data = Vec::new();
                for line in text.lines() {
                    let (field, value) = line.split_once(':').unwrap();
                    let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
                    match field {
                        "event" => event.name = value,
                        "id" => event.id = Some(value),
                        "data" => data.push(value),
                        other => panic!("{other}: {text}"),
                    }
                }
                let data = data.join("\n");
                if !data.is_empty() {
                    event.data = serde_json::from_str(&data).unwrap();
                }
                return Some(event);
            }
        })
        .await
    }

    /// The next event, which must carry a GraphQL response.
    pub(crate) async fn response(&mut self) -> StreamEvent {
        let event = self.next().await.expect("the stream continues");
        assert_eq!(event.name, "next", "{event:?}");
        event
    }

    /// Asserts that the operation completes and the stream ends.
    pub(crate) async fn assert_completes(mut self) {
        let complete = StreamEvent { name: "complete".to_owned(), id: None, data: Value::Null };
        assert_eq!(self.next().await, Some(complete));
        assert_eq!(self.next().await, None);
    }
}
