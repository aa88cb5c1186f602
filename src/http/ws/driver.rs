//! The work of one socket, all of it in one task: reading, writing, watching the clock and the keys, in turns, so that none of
//! them keeps the others waiting.
//!
//! What waits for a peer is one batch, and one message of each of its operations: while it does not receive that, they are asked for
//! no more. Reading goes on meanwhile.

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
use super::session::Session;
use crate::http::graphql::REQUEST_BYTES_MAX;

/// How much is written at a time. At most this, and the message that passes it, waits for a peer.
pub(super) const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// How many messages are read, and batches written, before somebody else has a turn.
const READS_PER_POLL_MAX: usize = 16;
const FLUSHES_PER_POLL_MAX: usize = 4;

/// How long a peer may take to receive that its socket is closed, and then to agree.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(800);
const CLOSE_REPLY_TIMEOUT: Duration = Duration::from_millis(200);

/// How a socket ends.
enum End {
    /// The service closes it.
    Close(CloseReason),
    /// The peer has closed it, or is gone.
    PeerClosed,
}

impl From<CloseReason> for End {
    fn from(close: CloseReason) -> Self {
        Self::Close(close)
    }
}

/// One socket at work.
struct SocketDriver {
    socket: WebSocket,
    session: Session,
    keep_alive: KeepAlive,
    timer: Pin<Box<Sleep>>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether a batch has been written that the peer has not received in full.
    is_flushing: bool,
}

/// Serves a socket until it ends, or must be closed: then its peer is told why.
pub(super) async fn serve(socket: WebSocket, session: Session, stopping: WaitForCancellationFutureOwned) {
    let pulse = KeepAlive::new(Instant::now());
    let alarm = Box::pin(sleep_until(pulse.first_check_at()));
    let mut work = SocketDriver {
        socket,
        session,
        keep_alive: pulse,
        timer: alarm,
        shutdown: Box::pin(stopping),
        is_flushing: false,
    };
    let end = std::future::poll_fn(|cx| work.poll(cx)).await;
    let SocketDriver { socket, session, .. } = work;
    // From here on nothing is executed for it.
    drop(session);
    match end {
        End::Close(reason) => close(socket, &reason).await,
        End::PeerClosed => complete_peer_close(socket).await,
    }
}

/// Closes a socket. A peer that receives nothing is not waited for.
pub(super) async fn close(mut socket: WebSocket, reason: &CloseReason) {
    tracing::debug!(code = reason.code(), "a socket is closed: {reason}");
    let sent = timeout(CLOSE_TIMEOUT, socket.send(Message::Close(Some(reason.frame())))).await;
    if matches!(sent, Ok(Ok(()))) {
        // Were the connection cut while something of the peer's is unread, it might never see the code.
        let _ = timeout(CLOSE_REPLY_TIMEOUT, async {
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
            std::future::pending::<()>().await;
        })
        .await;
    }
}

/// Agrees to the peer's close.
async fn complete_peer_close(mut socket: WebSocket) {
    let _ = timeout(CLOSE_TIMEOUT, async { while socket.next().await.is_some_and(|message| message.is_ok()) {} }).await;
}

impl SocketDriver {
    /// One turn of everything. Whoever has more to do than fits comes again at once, after others.
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
        // Reading rests while too many replies wait: it goes on now if writing has made room.
        Ok(more_to_write || more_to_read && !self.session.has_full_replies())
    }

    /// Reads what has come. Gives whether there may be more.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        for _ in 0..READS_PER_POLL_MAX {
            if self.session.has_full_replies() {
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
                Message::Binary(_) => return Err(CloseReason::InvalidMessage("messages are texts".to_owned()).into()),
                Message::Close(_) => return Err(End::PeerClosed),
                // A ping of WebSocket's own is answered by the library.
                Message::Ping(_) | Message::Pong(_) => {}
            }
        }
        Ok(true)
    }

    /// Writes what there is to say, a batch at a time, as far as the peer receives it. Gives whether there may be more.
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
                    self.session.poll_prefetch(cx)?;
                    return Ok(false);
                }
                Poll::Ready(Err(_)) => return Err(End::PeerClosed),
                Poll::Ready(Ok(())) => {
                    self.keep_alive.on_flush(true, Instant::now());
                    self.is_flushing = false;
                }
            }
        }
        Ok(true)
    }

    /// Puts a batch together.
    fn fill_write_buffer(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let mut size = 0;
        while size < WRITE_BUFFER_BYTES {
            match self.socket.poll_ready_unpin(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Err(_)) => return Err(End::PeerClosed),
                Poll::Ready(Ok(())) => {}
            }
            let Poll::Ready(text) = self.session.poll_next(cx) else { return Ok(()) };
            let text = text?;
            size += text.len();
            self.is_flushing = true;
            self.socket.start_send_unpin(Message::Text(text)).map_err(|_| End::PeerClosed)?;
        }
        Ok(())
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while self.timer.poll_unpin(cx).is_ready() {
            let due = self.keep_alive.check_deadlines(Instant::now(), self.session.is_acknowledged())?;
            if due.send_ping {
                self.session.ping();
            }
            self.timer.as_mut().reset(due.check_at);
        }
        Ok(())
    }
}

/// What becomes of a socket that cannot be read.
fn end_after_read_error(error: axum::Error) -> End {
    let error = error.into_inner();
    match error.downcast_ref::<SocketError>() {
        Some(SocketError::Capacity(_)) => CloseReason::MessageTooLarge(REQUEST_BYTES_MAX).into(),
        Some(SocketError::Utf8(_)) => CloseReason::NotUtf8.into(),
        // The connection is gone: nobody is there to be told.
        Some(SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => End::PeerClosed,
        Some(SocketError::Protocol(_)) => CloseReason::BadFrame.into(),
        Some(_) | None => End::PeerClosed,
    }
}
