//! HTTP to a service: hooks as the vendors post them, and GraphQL as an office asks.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use simulator::hook::{Hook, Vendor};
use simulator::signature;

use super::wait::BOUND;
use super::{Socket, Subscription, envelope};

/// The service at one address.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    http: reqwest::Client,
    /// The token of the key that it has.
    token: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What a delivery is told that was recorded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) outcome: String,
    pub(crate) event_id: Option<String>,
}

#[derive(Deserialize)]
struct Response<T> {
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
        let http = reqwest::Client::builder().no_proxy().timeout(BOUND).build().unwrap();
        Self { base, http, token: None }
    }

    /// The same, with a key.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// `http://127.0.0.1:…`, without a slash.
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

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        Answer::of(request.body(body.into())).await
    }

    /// Posts to ArcSite's hook URL, signed.
    pub(crate) async fn post_signed(&self, secret: &str, t: i64, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let signature = signature::sign(secret, t, &body);
        Answer::of(self.request(Method::POST, "/webhooks/arcsite").header(signature::HEADER, signature).body(body))
            .await
    }

    /// A delivery to an open hook of ArcSite.
    pub(crate) async fn arcsite(&self, event: &str, data: &str) -> Receipt {
        self.post("/webhooks/arcsite", envelope(event, data)).await.receipt()
    }

    /// A delivery to an open hook of Bidsketch.
    pub(crate) async fn bidsketch(&self, event: &str, data: &str) -> Receipt {
        self.post("/webhooks/bidsketch", envelope(event, data)).await.receipt()
    }

    /// A delivery of the simulator's to an open hook.
    pub(crate) async fn deliver(&self, hook: &Hook) -> Receipt {
        let path = match hook.vendor {
            Vendor::Arcsite => "/webhooks/arcsite",
            Vendor::Bidsketch => "/webhooks/bidsketch",
        };
        self.post(path, hook.body.as_str()).await.receipt()
    }

    /// The `data` of a GraphQL query that must succeed.
    pub(crate) async fn query(&self, query: &str) -> Value {
        self.query_with(query, json!({})).await
    }

    pub(crate) async fn query_with(&self, query: &str, variables: Value) -> Value {
        let answer = self.ask(query, variables).await;
        let mut response = answer.json();
        assert!(response.get("errors").is_none(), "{query}\n{response:#}");
        response["data"].take()
    }

    /// The one error of a GraphQL query that must fail.
    pub(crate) async fn query_error(&self, query: &str) -> Value {
        let mut response = self.ask(query, json!({})).await.json();
        let errors = response["errors"].as_array_mut().unwrap_or_else(|| panic!("{query}: no error"));
        assert_eq!(errors.len(), 1, "{query}: {errors:?}");
        errors.remove(0)
    }

    /// The answer to a GraphQL query, as it came.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        self.post("/graphql", body.to_string()).await
    }

    /// Every event, oldest first, with these fields.
    pub(crate) async fn log(&self, fields: &str) -> Vec<Value> {
        self.log_as(fields).await
    }

    /// The same, read as it is written: a `Box<RawValue>` keeps the text of a payload.
    pub(crate) async fn log_as<T: DeserializeOwned>(&self, fields: &str) -> Vec<T> {
        let query = format!(
            "query ($after: String) {{ events(first: 100, after: $after) {{ nodes {{ {fields} }} pageInfo {{ endCursor \
             hasNextPage }} }} }}"
        );
        let mut events = Vec::new();
        let mut after = None;
        loop {
            let answer = self.ask(&query, json!({ "after": after })).await;
            let response: Response<T> =
                serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body));
            let page = response.data.events;
            events.extend(page.nodes);
            if !page.page_info.has_next_page {
                events.reverse();
                return events;
            }
            after = page.page_info.end_cursor;
        }
    }

    /// How many events there are.
    pub(crate) async fn total(&self) -> u64 {
        self.query("{ events(first: 0) { totalCount } }").await["events"]["totalCount"].as_u64().unwrap()
    }

    /// The log's head.
    pub(crate) async fn head(&self) -> String {
        self.query("{ headCursor }").await["headCursor"].as_str().unwrap().to_owned()
    }

    /// A subscription on a socket of its own.
    pub(crate) async fn subscribe(&self, query: &str) -> Subscription {
        Subscription::open(self, query, json!({})).await
    }

    pub(crate) async fn socket(&self) -> Socket {
        Socket::open(self).await
    }

    /// One metric's value; 0 where it has not been counted yet.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"));
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

    /// What a delivery was told, which must have been recorded.
    pub(crate) fn receipt(&self) -> Receipt {
        assert_eq!(self.status, 200, "{self:?}");
        let body = self.json();
        let event_id = body["eventId"].as_str().map(str::to_owned);
        assert_eq!(body, json!({ "outcome": body["outcome"], "eventId": event_id }), "nothing else is said");
        Receipt { outcome: body["outcome"].as_str().unwrap().to_owned(), event_id }
    }
}

impl Receipt {
    /// The event of a delivery that was new.
    #[track_caller]
    pub(crate) fn accepted(self) -> String {
        assert_eq!(self.outcome, "ACCEPTED");
        self.event_id.unwrap()
    }

    /// That a delivery repeated this event.
    #[track_caller]
    pub(crate) fn repeats(self, event: &str) {
        assert_eq!((self.outcome.as_str(), self.event_id.as_deref()), ("REDELIVERY", Some(event)));
    }

    /// That a delivery was kept aside.
    #[track_caller]
    pub(crate) fn quarantined(self) {
        assert_eq!((self.outcome.as_str(), self.event_id), ("QUARANTINED", None));
    }
}
