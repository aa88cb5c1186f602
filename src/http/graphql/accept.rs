//! Chooses how a request is answered, by its header `Accept`: with one response in JSON, or with a
//! stream of responses.

use axum::http::{HeaderMap, header};

use super::response::APPLICATION_JSON;
use crate::graphql::Operation;
use crate::http::streams::StreamFormat;

const GRAPHQL_RESPONSE_JSON: &str = "application/graphql-response+json";

/// The version of Apollo's multipart protocol for subscriptions, as a parameter of
/// `multipart/mixed`. Without it a client expects parts of another shape.
const SUBSCRIPTION_SPEC: (&str, &str) = ("subscriptionspec", "1.0");

/// The media types that a client accepts.
pub(super) struct Accept {
    /// Whether the client sent the header. Without it a client accepts every type.
    is_present: bool,
    ranges: Vec<MediaRange>,
}

/// One of them: its name and parameters in lower case, and its weight, which is above 0.
struct MediaRange {
    name: String,
    parameters: Vec<(String, String)>,
    weight: f32,
}

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// One response.
    Single,
    /// A stream of responses.
    Stream(StreamFormat),
}

impl Accept {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::ACCEPT).iter().peekable();
        let is_present = values.peek().is_some();
        let ranges = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        Self { is_present, ranges: ranges.filter_map(MediaRange::parse).collect() }
    }

    /// The media type of a single response: the specification's own if the client accepts it by
    /// name, otherwise JSON.
    pub(super) fn json_type(&self) -> &'static str {
        if self.names(&[GRAPHQL_RESPONSE_JSON]) { GRAPHQL_RESPONSE_JSON } else { APPLICATION_JSON }
    }

    /// The answer to anything but a subscription: a stream only if the client accepts nothing else.
    pub(super) fn transport(&self) -> Transport {
        let accepts_json = self.names(&["*/*", "application/*", APPLICATION_JSON, GRAPHQL_RESPONSE_JSON]);
        match self.stream_format() {
            Some(format) if !accepts_json => Transport::Stream(format),
            Some(_) | None => Transport::Single,
        }
    }

    /// The answer to an operation. A subscription gets a stream if the client accepts one by name.
    pub(super) fn transport_of(&self, operation: &Operation) -> Transport {
        match self.stream_format() {
            Some(format) if operation.is_subscription() => Transport::Stream(format),
            Some(_) | None => self.transport(),
        }
    }

    /// Whether the client accepts an event stream, by name or not.
    pub(super) fn allows_event_stream(&self) -> bool {
        !self.is_present || self.names(&["*/*"]) || self.ranges.iter().any(|range| range.is_event_stream())
    }

    /// The stream that the client likes best; of two that it likes equally, the first.
    fn stream_format(&self) -> Option<StreamFormat> {
        let mut best: Option<(StreamFormat, f32)> = None;
        for range in &self.ranges {
            if let Some(format) = range.stream_format()
                && best.is_none_or(|(_, weight)| range.weight > weight)
            {
                best = Some((format, range.weight));
            }
        }
        best.map(|(format, _)| format)
    }

    fn names(&self, names: &[&str]) -> bool {
        self.ranges.iter().any(|range| names.contains(&range.name.as_str()))
    }
}

impl MediaRange {
    fn parse(range: &str) -> Option<Self> {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let name = parts.next().filter(|name| !name.is_empty())?;
        let parameters: Vec<(String, String)> = parts
            .filter_map(|part| {
                let (key, value) = part.split_once('=')?;
                Some((key.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
            })
            .collect();
        let weight =
            parameters.iter().find(|(key, _)| key == "q").map_or(1.0, |(_, value)| value.parse().unwrap_or(1.0));
        (weight > 0.0).then_some(Self { name, parameters, weight })
    }

    fn is_event_stream(&self) -> bool {
        matches!(self.name.as_str(), "text/event-stream" | "text/*")
    }

    fn stream_format(&self) -> Option<StreamFormat> {
        let is_subscription_spec =
            || self.parameters.iter().any(|(key, value)| (key.as_str(), value.as_str()) == SUBSCRIPTION_SPEC);
        match self.name.as_str() {
            _ if self.is_event_stream() => Some(StreamFormat::EventStream),
            "multipart/mixed" if is_subscription_spec() => Some(StreamFormat::Multipart),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Request;
    use axum::http::HeaderValue;

    use super::*;
    use crate::config::Settings;

    const EVENTS: Transport = Transport::Stream(StreamFormat::EventStream);
    const PARTS: Transport = Transport::Stream(StreamFormat::Multipart);

    fn accept(value: Option<&str>) -> Accept {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        Accept::read(&headers)
    }

    #[test]
    fn transport_follows_operation_and_accepted_types() {
        let limits = Settings::defaults().unwrap().graphql;
        let [query, subscription] =
            ["{ a }", "subscription { a }"].map(|document| Operation::read(Request::new(document), &limits));
        for (value, of_query, of_subscription) in [
            (None, Transport::Single, Transport::Single),
            (Some("*/*"), Transport::Single, Transport::Single),
            (Some("text/html"), Transport::Single, Transport::Single),
            (Some("application/json, multipart/mixed"), Transport::Single, Transport::Single),
            (Some("multipart/mixed;deferSpec=20220824"), Transport::Single, Transport::Single),
            (Some("multipart/mixed;subscriptionSpec=2.0"), Transport::Single, Transport::Single),
            (Some("text/event-stream;q=0, */*"), Transport::Single, Transport::Single),
            (Some("text/event-stream"), EVENTS, EVENTS),
            (Some("Text/Event-Stream; charset=utf-8"), EVENTS, EVENTS),
            (Some("text/*"), EVENTS, EVENTS),
            (Some("text/event-stream, multipart/mixed"), EVENTS, EVENTS),
            (Some("application/json, text/event-stream;q=0.1"), Transport::Single, EVENTS),
            (Some("multipart/mixed;subscriptionSpec=1.0"), PARTS, PARTS),
            (Some("multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\""), PARTS, PARTS),
            (Some("multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"), Transport::Single, PARTS),
            (Some("multipart/mixed;subscriptionSpec=1.0;q=0.5, text/event-stream;q=0.6"), EVENTS, EVENTS),
            (Some("multipart/mixed;subscriptionSpec=1.0, text/event-stream"), PARTS, PARTS),
        ] {
            let accept = accept(value);
            assert_eq!((accept.transport_of(&query), accept.transport()), (of_query, of_query), "{value:?}");
            assert_eq!(accept.transport_of(&subscription), of_subscription, "{value:?}");
        }
    }
}
