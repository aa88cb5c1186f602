//! A client of `graphql-sse`, that sees every byte of the stream.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Client, within};

/// Longer than any stream of a test.
const OPEN_FOR: Duration = Duration::from_secs(120);

/// An open stream of events.
pub(crate) struct EventStream {
    response: Response,
    unread: String,
}

/// One event.
#[derive(Debug, PartialEq)]
pub(crate) struct StreamEvent {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    /// The response; null where there is none.
    pub(crate) data: Value,
}

impl EventStream {
    /// A request for one, by POST.
    pub(crate) fn request(client: &Client, query: &str, variables: Value) -> RequestBuilder {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = client.request(Method::POST, "/graphql/sse").header("content-type", "application/json");
        request.header("accept", "text/event-stream").body(body)
    }

    /// Sends a request, which must be answered by a stream.
    pub(crate) async fn open(request: RequestBuilder) -> Self {
        let response = within("the stream opens", request.timeout(OPEN_FOR).send()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, unread: String::new() }
    }

    /// The next event or comment, as it was written; none at the end.
    pub(crate) async fn text(&mut self) -> Option<String> {
        loop {
            if let Some((text, rest)) = self.unread.split_once("\n\n") {
                let text = text.to_owned();
                self.unread = rest.to_owned();
                return Some(text);
            }
            let Some(chunk) = self.response.chunk().await.unwrap() else {
                assert_eq!(self.unread, "", "an event is never cut");
                return None;
            };
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event; none at the end of the stream.
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

    /// The response in the next event.
    pub(crate) async fn response(&mut self) -> StreamEvent {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!(event.name, "next", "{event:?}");
        event
    }

    /// That the operation is complete, and with it the stream.
    pub(crate) async fn completes(mut self) {
        let complete = StreamEvent { name: "complete".to_owned(), id: None, data: Value::Null };
        assert_eq!(self.next().await, Some(complete));
        assert_eq!(self.next().await, None);
    }
}
