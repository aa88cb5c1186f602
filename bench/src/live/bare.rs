//! The lower bound of the cost of a broadcast: frames that are encoded once and sent to every
//! socket, with the same runtime and library.

use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// How many frames the channel holds. It is more than a burst, so no socket skips one.
const CHANNEL_FRAMES_MAX: usize = 8192;

/// A frame as long as bidarc's for the same event.
const FRAME: &str = r#"{"id":"1","type":"next","payload":{"data":{"events":{"id":"event:1234","kind":"PROJECT_CREATED","receivedAt":"2026-01-01T00:00:00.123456Z"}}}}"#;

/// Creates the server. Each post sends a frame to every socket.
pub(crate) fn router() -> Router {
    let frames = broadcast::Sender::new(CHANNEL_FRAMES_MAX);
    Router::new().route("/webhooks/arcsite", post(publish)).route("/graphql/ws", get(open)).with_state(frames)
}

async fn publish(State(frames): State<broadcast::Sender<Utf8Bytes>>, _: String) -> Json<Value> {
    // Without a subscriber, nothing is sent.
    let _ = frames.send(Utf8Bytes::from_static(FRAME));
    Json(json!({ "outcome": "ACCEPTED" }))
}

async fn open(State(frames): State<broadcast::Sender<Utf8Bytes>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols(["graphql-transport-ws"]).on_upgrade(async move |socket| {
        // The end of a socket is not an error.
        let _ = serve(socket, frames.subscribe()).await;
    })
}

async fn serve(mut socket: WebSocket, mut frames: broadcast::Receiver<Utf8Bytes>) -> Option<()> {
    socket.recv().await?.ok()?;
    socket.send(Message::text(r#"{"type":"connection_ack"}"#)).await.ok()?;
    socket.recv().await?.ok()?;
    loop {
        let frame = frames.recv().await.ok()?;
        socket.send(Message::Text(frame)).await.ok()?;
    }
}
