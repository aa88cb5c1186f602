//! A client of `graphql-transport-ws`, and of the older `graphql-ws` message by message.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

use super::{Client, TIMEOUT, within};

/// An open socket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// A message that a client received.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// The raw text of a message of the protocol.
    Text(String),
    /// The end of the socket, with its close code.
    Closed(Option<u16>),
}

const PROTOCOL: &str = "graphql-transport-ws";

/// The keep-alive ping of the service.
pub(crate) const PING: &str = r#"{"type":"ping"}"#;

impl Socket {
    /// Opens a socket with the client's key.
    pub(crate) async fn open(client: &Client) -> Self {
        let payload = client.token().map(|token| json!({ "Authorization": format!("Bearer {token}") }));
        let mut socket = Self::connect(client, &[]).await;
        socket.init(payload).await;
        assert_eq!(socket.json().await, json!({ "type": "connection_ack" }));
        socket
    }

    /// Opens a socket with these headers, without `connection_init`.
    pub(crate) async fn connect(client: &Client, headers: &[(&'static str, &str)]) -> Self {
        Self::connect_to(client, "/graphql/ws", PROTOCOL, headers).await
    }

    /// Opens a socket at this path that offers these sub-protocols, of which the service must
    /// select `graphql-transport-ws` if it is among them.
    pub(crate) async fn connect_to(
        client: &Client,
        path: &str,
        protocols: &str,
        headers: &[(&'static str, &str)],
    ) -> Self {
        let mut request = Self::request(client, path);
        request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, response) = within("the socket opens", connect_async(request)).await.unwrap();
        let selected = if protocols.contains(PROTOCOL) { PROTOCOL } else { protocols };
        assert_eq!(response.headers()["sec-websocket-protocol"], selected);
        Self(stream)
    }

    /// Opens a socket whose request names no sub-protocol.
    pub(crate) async fn without_protocol(client: &Client) -> Self {
        let (stream, response) =
            within("the socket opens", connect_async(Self::request(client, "/graphql/ws"))).await.unwrap();
        assert!(!response.headers().contains_key("sec-websocket-protocol"));
        Self(stream)
    }

    /// Opens a socket whose receive buffer is small.
    pub(crate) async fn open_with_small_buffer(client: &Client) -> Self {
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.set_recv_buffer_size(4096).unwrap();
        let stream = tcp.connect(client.authority().parse().unwrap()).await.unwrap();
        let mut request = Self::request(client, "/graphql/ws");
        request.headers_mut().insert("sec-websocket-protocol", PROTOCOL.parse().unwrap());
        let connecting = client_async(request, MaybeTlsStream::Plain(stream));
        let mut socket = Self(within("the socket opens", connecting).await.unwrap().0);
        socket.init(client.token().map(|token| json!({ "token": token }))).await;
        assert_eq!(socket.json().await, json!({ "type": "connection_ack" }));
        socket
    }

    fn request(client: &Client, path: &str) -> Request {
        format!("ws://{}{path}", client.authority()).into_client_request().unwrap()
    }

    /// Sends `connection_init`.
    pub(crate) async fn init(&mut self, payload: Option<Value>) {
        let mut message = json!({ "type": "connection_init" });
        if let Some(payload) = payload {
            message["payload"] = payload;
        }
        self.send(message).await;
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.0.send(Frame::text(message.to_string())).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// Waits until the service has read every message that was sent. Returns those that came
    /// meanwhile.
    pub(crate) async fn wait_until_read(&mut self) -> VecDeque<Message> {
        self.send(json!({ "type": "ping", "payload": { "read": true } })).await;
        let pong = Message::Text(r#"{"type":"pong","payload":{"read":true}}"#.to_owned());
        let mut others = VecDeque::new();
        loop {
            let message = self.message().await;
            if message == pong {
                return others;
            }
            let is_closed = matches!(message, Message::Closed(_));
            others.push_back(message);
            if is_closed {
                return others;
            }
        }
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Message {
        self.message_within(TIMEOUT).await.unwrap_or_else(|| panic!("no message within {TIMEOUT:?}"))
    }

    /// The next message, if one comes within this limit. Answers pings, as every client does.
    pub(crate) async fn message_within(&mut self, limit: Duration) -> Option<Message> {
        timeout(limit, async {
            loop {
                match self.next_without_pong().await {
                    Message::Text(text) if text == PING => self.send(json!({ "type": "pong" })).await,
                    message @ (Message::Text(_) | Message::Closed(_)) => return message,
                }
            }
        })
        .await
        .ok()
    }

    /// The next message. Does not answer pings.
    pub(crate) async fn next_without_pong(&mut self) -> Message {
        loop {
            match self.0.next().await {
                Some(Ok(Frame::Text(text))) => return Message::Text(text.to_string()),
                Some(Ok(Frame::Close(frame))) => return Message::Closed(frame.map(|frame| frame.code.into())),
                Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Binary(_) | Frame::Frame(_))) => {}
                Some(Err(_)) | None => return Message::Closed(None),
            }
        }
    }

    /// The next frame of any kind.
    pub(crate) async fn next_frame(&mut self) -> Frame {
        self.0.next().await.unwrap().unwrap()
    }

    /// Sends a raw frame.
    pub(crate) async fn send_frame(&mut self, frame: Frame) {
        self.0.send(frame).await.unwrap();
    }

    /// Waits for the service to close the socket. Returns the close code and the reason.
    pub(crate) async fn close(&mut self) -> (u16, String) {
        within("the socket is closed", async {
            loop {
                match self.0.next().await {
                    Some(Ok(Frame::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
                    Some(Ok(_)) => {}
                    other => panic!("not closed: {other:?}"),
                }
            }
        })
        .await
    }

    /// The next message, as JSON.
    pub(crate) async fn json(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            Message::Closed(code) => panic!("the socket was closed with {code:?}"),
        }
    }
}

/// One subscription on its own socket.
pub(crate) struct Subscription {
    socket: Socket,
    /// Messages that came before the subscription was known to have begun.
    early: VecDeque<Message>,
    query: String,
}

const ID: &str = "1";

impl Subscription {
    /// Subscribes, and returns once the service has read that: whatever is recorded from now on
    /// comes after the subscription's start.
    pub(crate) async fn open(client: &Client, query: &str, variables: Value) -> Self {
        let mut socket = Socket::open(client).await;
        socket.subscribe(ID, query, variables).await;
        let early = socket.wait_until_read().await;
        Self { socket, early, query: query.to_owned() }
    }

    async fn json_within(&mut self, limit: Duration) -> Option<Value> {
        let message = match self.early.pop_front() {
            Some(message) => message,
            None => self.socket.message_within(limit).await?,
        };
        match message {
            Message::Text(text) => Some(serde_json::from_str(&text).unwrap()),
            Message::Closed(code) => panic!("{}: closed with {code:?}", self.query),
        }
    }

    /// The `data` of the next message.
    pub(crate) async fn next(&mut self) -> Value {
        self.next_within(TIMEOUT).await.unwrap_or_else(|| panic!("{}: no message within {TIMEOUT:?}", self.query))
    }

    /// The `data` of the next message, if one comes within this limit.
    pub(crate) async fn next_within(&mut self, limit: Duration) -> Option<Value> {
        let mut message = self.json_within(limit).await?;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(ID)), "{}: {message:#}", self.query);
        assert!(message["payload"].get("errors").is_none(), "{}: {message:#}", self.query);
        Some(message["payload"]["data"].take())
    }

    /// The error with which the subscription fails.
    pub(crate) async fn error(&mut self) -> Value {
        let mut message = self.json_within(TIMEOUT).await.expect("an error comes");
        let errors = match message["type"].as_str() {
            Some("error") => &mut message["payload"],
            _ => {
                assert!(message["payload"]["data"].is_null(), "{message}");
                &mut message["payload"]["errors"]
            }
        };
        errors[0].take()
    }

    /// Completes the subscription, closes the socket and reads messages in flight until the socket
    /// is closed.
    pub(crate) async fn complete(mut self) {
        self.socket.send(json!({ "id": ID, "type": "complete" })).await;
        self.socket.0.close(None).await.unwrap();
        while !matches!(self.socket.message().await, Message::Closed(_)) {}
    }
}
