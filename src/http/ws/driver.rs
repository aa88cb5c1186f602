//! Drives one socket in one task. It reads, writes, and checks the clock and the keys in turns, so
//! that none of them delays the others.
//!
//! At most one write buffer and one message of each operation wait for a peer. Until the peer has
//! received them, its operations are not polled for more. Reading continues.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tungstenite::Error as SocketError;
use tungstenite::error::ProtocolError;

use super::close::CloseReason;
use super::keepalive::KeepAlive;
use super::session::{Session, message_bytes};
use crate::http::graphql::REQUEST_BYTES_MAX;
use crate::http::server::{TooMuchBeforeProof, UNPROVEN_SOCKET_BYTES_MAX};

/// How many bytes are written before a flush. At most this, and the message that exceeds it, waits
/// for a peer.
pub(super) const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// How many messages are read, and how many buffers written, before the task yields to others.
const READS_PER_POLL_MAX: usize = 16;
const FLUSHES_PER_POLL_MAX: usize = 4;

/// How many answers to WebSocket's own pings may wait for a peer. The library buffers each. At the
/// limit, reading pauses.
const PONGS_WAITING_MAX: usize = 16;

/// How long a peer may take to receive the close frame, and then to reply to it.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(800);
const CLOSE_REPLY_TIMEOUT: Duration = Duration::from_millis(200);

/// How a socket ends.
enum End {
    /// The service closes it.
    Close(CloseReason),
    /// The peer has closed it, or has disconnected.
    PeerClosed,
}

impl From<CloseReason> for End {
    fn from(close: CloseReason) -> Self {
        Self::Close(close)
    }
}

/// An open socket and the state that drives it.
struct SocketDriver {
    socket: WebSocket,
    session: Session,
    keep_alive: KeepAlive,
    timer: Pin<Box<Sleep>>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether a buffer was written that the peer has not received in full.
    is_flushing: bool,
    /// How many bytes of messages that buffer has.
    unsent: usize,
    /// The pings since the last complete flush.
    pongs_waiting: usize,
}

/// Serves a socket until the peer closes it, or the service does and gives a reason.
pub(super) async fn serve(socket: WebSocket, session: Session, shutdown: WaitForCancellationFutureOwned) {
    let keep_alive = KeepAlive::new(Instant::now());
    let timer = Box::pin(sleep_until(keep_alive.first_check_at()));
    let mut driver = SocketDriver {
        socket,
        session,
        keep_alive,
        timer,
        shutdown: Box::pin(shutdown),
        is_flushing: false,
        unsent: 0,
        pongs_waiting: 0,
    };
    let end = std::future::poll_fn(|cx| driver.poll(cx)).await;
    let SocketDriver { socket, session, .. } = driver;
    // This ends its operations.
    drop(session);
    match end {
        End::Close(reason) => close(socket, &reason).await,
        End::PeerClosed => complete_peer_close(socket).await,
    }
}

/// Closes a socket with a reason. It waits for the peer only briefly.
pub(super) async fn close(mut socket: WebSocket, reason: &CloseReason) {
    tracing::debug!(code = reason.code(), "closing a socket: {reason}");
    let sent = timeout(CLOSE_TIMEOUT, socket.send(Message::Close(Some(reason.frame())))).await;
    if matches!(sent, Ok(Ok(()))) {
        // Closing the connection with unread data of the peer could reset it before the peer sees
        // the close code.
        let _ = timeout(CLOSE_REPLY_TIMEOUT, async {
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
            std::future::pending::<()>().await;
        })
        .await;
    }
}

/// Replies to the peer's close frame.
async fn complete_peer_close(mut socket: WebSocket) {
    let _ = timeout(CLOSE_TIMEOUT, async { while socket.next().await.is_some_and(|message| message.is_ok()) {} }).await;
}

impl SocketDriver {
    /// Polls everything once. If more work remains than one poll may do, it wakes itself, so that
    /// other tasks run first.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.poll_once(cx) {
            Err(end) => Poll::Ready(end),
            Ok(has_more) => {
                if has_more {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }

    fn poll_once(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        if self.shutdown.poll_unpin(cx).is_ready() {
            return Err(CloseReason::ShuttingDown.into());
        }
        let more_to_read = self.read(cx)?;
        if let Poll::Ready(close) = self.session.poll_auth(cx) {
            return Err(close.into());
        }
        self.poll_timer(cx)?;
        let more_to_write = self.write(cx)?;
        // Reading pauses while too many replies wait. It continues if writing has made room.
        Ok(more_to_write || more_to_read && !self.is_reading_paused())
    }

    /// Whether so many replies wait that reading pauses.
    fn is_reading_paused(&self) -> bool {
        self.session.is_reply_queue_full() || self.pongs_waiting >= PONGS_WAITING_MAX
    }

    /// Reads messages. Returns whether there may be more.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        for _ in 0..READS_PER_POLL_MAX {
            if self.is_reading_paused() {
                break;
            }
            let message = match self.socket.poll_next_unpin(cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(None) => return Err(End::PeerClosed),
                Poll::Ready(Some(Err(error))) => return Err(end_after_read_error(error)),
                Poll::Ready(Some(Ok(message))) => message,
            };
            self.keep_alive.on_message(Instant::now());
            match message {
                Message::Text(text) => self.session.receive(&text)?,
                Message::Binary(_) => {
                    return Err(
                        CloseReason::InvalidMessage("binary messages are not supported; send text".to_owned()).into()
                    );
                }
                Message::Close(_) => return Err(End::PeerClosed),
                // The library answers WebSocket's own pings, at the next flush.
                Message::Ping(_) => {
                    self.pongs_waiting += 1;
                    self.is_flushing = true;
                }
                Message::Pong(_) => {}
            }
        }
        Ok(true)
    }

    /// Writes messages, one buffer at a time, as far as the peer receives them. Returns whether
    /// there may be more.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        for _ in 0..FLUSHES_PER_POLL_MAX {
            if !self.is_flushing {
                self.fill_write_buffer(cx)?;
            }
            if !self.is_flushing {
                return Ok(false);
            }
            match self.socket.poll_flush_unpin(cx) {
                Poll::Pending => {
                    self.keep_alive.on_flush(false, Instant::now());
                    self.session.poll_prefetch(self.unsent, cx)?;
                    return Ok(false);
                }
                Poll::Ready(Err(_)) => return Err(End::PeerClosed),
                Poll::Ready(Ok(())) => {
                    self.keep_alive.on_flush(true, Instant::now());
                    self.is_flushing = false;
                    self.unsent = 0;
                    self.session.count_waiting(0)?;
                    self.pongs_waiting = 0;
                }
            }
        }
        Ok(true)
    }

    /// Fills the write buffer with messages.
    fn fill_write_buffer(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while self.unsent < WRITE_BUFFER_BYTES {
            match self.socket.poll_ready_unpin(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Err(_)) => return Err(End::PeerClosed),
                Poll::Ready(Ok(())) => {}
            }
            let Poll::Ready(message) = self.session.poll_next(cx) else { return Ok(()) };
            let message = message?;
            self.unsent += message_bytes(&message);
            self.is_flushing = true;
            self.socket.start_send_unpin(message).map_err(|_| End::PeerClosed)?;
        }
        Ok(())
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while self.timer.poll_unpin(cx).is_ready() {
            let next = self.keep_alive.check_deadlines(Instant::now(), self.session.is_acknowledged())?;
            if next.send_ping {
                self.session.keep_alive();
            }
            self.timer.as_mut().reset(next.check_at);
        }
        Ok(())
    }
}

/// How a socket ends after a read error.
fn end_after_read_error(error: axum::Error) -> End {
    let error = error.into_inner();
    match error.downcast_ref::<SocketError>() {
        Some(SocketError::Capacity(_)) => CloseReason::MessageTooLarge(REQUEST_BYTES_MAX).into(),
        Some(SocketError::Io(error)) if error.get_ref().is_some_and(|cause| cause.is::<TooMuchBeforeProof>()) => {
            CloseReason::MessageTooLarge(UNPROVEN_SOCKET_BYTES_MAX).into()
        }
        Some(SocketError::Utf8(_)) => CloseReason::NotUtf8.into(),
        // The connection is lost: no peer is left to receive a close frame.
        Some(SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => End::PeerClosed,
        Some(SocketError::Protocol(_)) => CloseReason::BadFrame.into(),
        Some(_) | None => End::PeerClosed,
    }
}
