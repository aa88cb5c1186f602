//! An HTTP client of a service. It posts hooks like the vendors and sends GraphQL like an API
//! client.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use simulator::hook::{Hook, Vendor};
use simulator::signature;

use super::wait::TIMEOUT;
use super::{Socket, Subscription, envelope};

/// A client of the service at one address.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    http: reqwest::Client,
    /// The token of its API key.
    token: Option<String>,
}

/// A response whose body was read to the end.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// The response to a delivery that was recorded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) outcome: String,
    pub(crate) event_id: Option<String>,
}

#[derive(Deserialize)]
struct LogResponse<T> {
    data: Events<T>,
}

#[derive(Deserialize)]
struct Events<T> {
    events: Page<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    nodes: Vec<T>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    end_cursor: Option<String>,
    has_next_page: bool,
}

impl Client {
    pub(crate) fn new(base: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().unwrap();
        Self { base, http, token: None }
    }

    /// A client of the same service that sends this token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// `http://127.0.0.1:…`, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// `127.0.0.1:…`
    pub(crate) fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> HttpResponse {
        HttpResponse::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        HttpResponse::of(request.body(body.into())).await
    }

    /// Posts a signed delivery to ArcSite's hook URL.
    pub(crate) async fn post_signed(&self, secret: &str, t: i64, body: impl Into<Vec<u8>>) -> HttpResponse {
        let body = body.into();
        let signature = signature::sign(secret, t, &body);
        HttpResponse::of(
            self.request(Method::POST, "/webhooks/arcsite").header(signature::HEADER, signature).body(body),
        )
        .await
    }

    /// Posts a delivery to ArcSite's open hook.
    pub(crate) async fn arcsite(&self, event: &str, data: &str) -> Receipt {
        self.post("/webhooks/arcsite", envelope(event, data)).await.receipt()
    }

    /// Posts a delivery to Bidsketch's open hook.
    pub(crate) async fn bidsketch(&self, event: &str, data: &str) -> Receipt {
        self.post("/webhooks/bidsketch", envelope(event, data)).await.receipt()
    }

    /// Posts a delivery of the simulator to an open hook.
    pub(crate) async fn deliver(&self, hook: &Hook) -> Receipt {
        let path = match hook.vendor {
            Vendor::Arcsite => "/webhooks/arcsite",
            Vendor::Bidsketch => "/webhooks/bidsketch",
        };
        self.post(path, hook.body.as_str()).await.receipt()
    }

    /// Runs a GraphQL query that must succeed. Returns its `data`.
    pub(crate) async fn query(&self, query: &str) -> Value {
        self.query_with(query, json!({})).await
    }

    pub(crate) async fn query_with(&self, query: &str, variables: Value) -> Value {
        let mut response = self.graphql(query, variables).await.json();
        assert!(response.get("errors").is_none(), "{query}\n{response:#}");
        response["data"].take()
    }

    /// Runs a GraphQL query that must fail with one error. Returns that error.
    pub(crate) async fn query_error(&self, query: &str) -> Value {
        let mut response = self.graphql(query, json!({})).await.json();
        let errors = response["errors"].as_array_mut().unwrap_or_else(|| panic!("{query}: no error"));
        assert_eq!(errors.len(), 1, "{query}: {errors:?}");
        errors.remove(0)
    }

    /// Posts a GraphQL request and returns the response unchecked.
    pub(crate) async fn graphql(&self, query: &str, variables: Value) -> HttpResponse {
        let body = json!({ "query": query, "variables": variables });
        self.post("/graphql", body.to_string()).await
    }

    /// All events with these fields, oldest first.
    pub(crate) async fn log(&self, fields: &str) -> Vec<Value> {
        self.log_as(fields).await
    }

    /// Like [`Self::log`], parsed into `T`. A `Box<RawValue>` keeps the text of a payload.
    pub(crate) async fn log_as<T: DeserializeOwned>(&self, fields: &str) -> Vec<T> {
        let query = format!(
            "query ($after: String) {{ events(first: 100, after: $after) {{ nodes {{ {fields} }} pageInfo {{ endCursor \
             hasNextPage }} }} }}"
        );
        let mut events = Vec::new();
        let mut after = None;
        loop {
            let body = self.graphql(&query, json!({ "after": after })).await.body;
            let response: LogResponse<T> =
                serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
            let page = response.data.events;
            events.extend(page.nodes);
            if !page.page_info.has_next_page {
                events.reverse();
                return events;
            }
            after = page.page_info.end_cursor;
        }
    }

    /// The number of events in the log.
    pub(crate) async fn event_count(&self) -> u64 {
        self.query("{ events(first: 0) { totalCount } }").await["events"]["totalCount"].as_u64().unwrap()
    }

    /// The cursor of the log's head.
    pub(crate) async fn head(&self) -> String {
        self.query("{ headCursor }").await["headCursor"].as_str().unwrap().to_owned()
    }

    /// Subscribes on a new socket.
    pub(crate) async fn subscribe(&self, query: &str) -> Subscription {
        Subscription::open(self, query, json!({})).await
    }

    pub(crate) async fn socket(&self) -> Socket {
        Socket::open(self).await
    }

    /// The value of a metric, or 0 if the metric has no sample yet.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }
}

impl HttpResponse {
    /// Sends a request and reads its response.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap_or_else(|error| panic!("no response: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
        Self { status, headers, body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The receipt of a delivery, which must have been recorded.
    pub(crate) fn receipt(&self) -> Receipt {
        assert_eq!(self.status, 200, "{self:?}");
        let body = self.json();
        let event_id = body["eventId"].as_str().map(str::to_owned);
        assert_eq!(body, json!({ "outcome": body["outcome"], "eventId": event_id }), "the receipt has no other field");
        Receipt { outcome: body["outcome"].as_str().unwrap().to_owned(), event_id }
    }
}

impl Receipt {
    /// Asserts that the delivery was accepted as a new event. Returns the event's id.
    #[track_caller]
    pub(crate) fn accepted(self) -> String {
        assert_eq!(self.outcome, "ACCEPTED");
        self.event_id.unwrap()
    }

    /// Asserts that the delivery was a redelivery of this event.
    #[track_caller]
    pub(crate) fn redelivery_of(self, event: &str) {
        assert_eq!((self.outcome.as_str(), self.event_id.as_deref()), ("REDELIVERY", Some(event)));
    }

    /// Asserts that the delivery was quarantined.
    #[track_caller]
    pub(crate) fn quarantined(self) {
        assert_eq!((self.outcome.as_str(), self.event_id), ("QUARANTINED", None));
    }
}
