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

use super::close::Close;
use super::keepalive::Pulse;
use super::session::Session;
use crate::http::graphql::LIMIT;

/// How much is written at a time. At most this, and the message that passes it, waits for a peer.
pub(super) const BATCH: usize = 16 * 1024;

/// How many messages are read, and batches written, before somebody else has a turn.
const READS: usize = 16;
const BATCHES: usize = 4;

/// How long a peer may take to receive that its socket is closed, and then to agree.
const CLOSE_WITHIN: Duration = Duration::from_millis(800);
const AGREE_WITHIN: Duration = Duration::from_millis(200);

/// How a socket ends.
enum End {
    /// The service closes it.
    Close(Close),
    /// The peer has closed it, or is gone.
    Left,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// One socket at work.
struct Work {
    socket: WebSocket,
    session: Session,
    pulse: Pulse,
    alarm: Pin<Box<Sleep>>,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether a batch has been written that the peer has not received in full.
    is_flushing: bool,
}

/// Serves a socket until it ends, or must be closed: then its peer is told why.
pub(super) async fn serve(socket: WebSocket, session: Session, stopping: WaitForCancellationFutureOwned) {
    let pulse = Pulse::new(Instant::now());
    let alarm = Box::pin(sleep_until(pulse.first_look()));
    let mut work = Work { socket, session, pulse, alarm, stopping: Box::pin(stopping), is_flushing: false };
    let end = std::future::poll_fn(|cx| work.poll(cx)).await;
    let Work { socket, session, .. } = work;
    // From here on nothing is executed for it.
    drop(session);
    match end {
        End::Close(reason) => close(socket, &reason).await,
        End::Left => leave(socket).await,
    }
}

/// Closes a socket. A peer that receives nothing is not waited for.
pub(super) async fn close(mut socket: WebSocket, reason: &Close) {
    tracing::debug!(code = reason.code(), "a socket is closed: {reason}");
    let sent = timeout(CLOSE_WITHIN, socket.send(Message::Close(Some(reason.frame())))).await;
    if matches!(sent, Ok(Ok(()))) {
        // Were the connection cut while something of the peer's is unread, it might never see the code.
        let _ = timeout(AGREE_WITHIN, async {
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
            std::future::pending::<()>().await;
        })
        .await;
    }
}

/// Agrees to the peer's close.
async fn leave(mut socket: WebSocket) {
    let _ = timeout(CLOSE_WITHIN, async { while socket.next().await.is_some_and(|message| message.is_ok()) {} }).await;
}

impl Work {
    /// One turn of everything. Whoever has more to do than fits comes again at once, after others.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.turn(cx) {
            Err(end) => Poll::Ready(end),
            Ok(has_more) => {
                if has_more {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        if self.stopping.poll_unpin(cx).is_ready() {
            return Err(Close::Stopping.into());
        }
        let more_to_read = self.read(cx)?;
        if let Poll::Ready(close) = self.session.poll_denied(cx) {
            return Err(close.into());
        }
        self.look_at_the_clock(cx)?;
        let more_to_write = self.write(cx)?;
        // Reading rests while too many replies wait: it goes on now if writing has made room.
        Ok(more_to_write || more_to_read && !self.session.is_full())
    }

    /// Reads what has come. Gives whether there may be more.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        for _ in 0..READS {
            if self.session.is_full() {
                break;
            }
            let message = match self.socket.poll_next_unpin(cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(None) => return Err(End::Left),
                Poll::Ready(Some(Err(error))) => return Err(broken(error)),
                Poll::Ready(Some(Ok(message))) => message,
            };
            self.pulse.heard(Instant::now());
            match message {
                Message::Text(text) => self.session.receive(&text)?,
                Message::Binary(_) => return Err(Close::InvalidMessage("messages are texts".to_owned()).into()),
                Message::Close(_) => return Err(End::Left),
                // A ping of WebSocket's own is answered by the library.
                Message::Ping(_) | Message::Pong(_) => {}
            }
        }
        Ok(true)
    }

    /// Writes what there is to say, a batch at a time, as far as the peer receives it. Gives whether there may be more.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        for _ in 0..BATCHES {
            if !self.is_flushing {
                self.fill(cx)?;
            }
            if !self.is_flushing {
                return Ok(false);
            }
            match self.socket.poll_flush_unpin(cx) {
                Poll::Pending => {
                    self.pulse.receives(false, Instant::now());
                    self.session.poll_ahead(cx)?;
                    return Ok(false);
                }
                Poll::Ready(Err(_)) => return Err(End::Left),
                Poll::Ready(Ok(())) => {
                    self.pulse.receives(true, Instant::now());
                    self.is_flushing = false;
                }
            }
        }
        Ok(true)
    }

    /// Puts a batch together.
    fn fill(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let mut size = 0;
        while size < BATCH {
            match self.socket.poll_ready_unpin(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Err(_)) => return Err(End::Left),
                Poll::Ready(Ok(())) => {}
            }
            let Poll::Ready(text) = self.session.poll_next(cx) else { return Ok(()) };
            let text = text?;
            size += text.len();
            self.is_flushing = true;
            self.socket.start_send_unpin(Message::Text(text)).map_err(|_| End::Left)?;
        }
        Ok(())
    }

    fn look_at_the_clock(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while self.alarm.poll_unpin(cx).is_ready() {
            let due = self.pulse.look(Instant::now(), self.session.is_let_in())?;
            if due.ping {
                self.session.ping();
            }
            self.alarm.as_mut().reset(due.look_at);
        }
        Ok(())
    }
}

/// What becomes of a socket that cannot be read.
fn broken(error: axum::Error) -> End {
    let error = error.into_inner();
    match error.downcast_ref::<SocketError>() {
        Some(SocketError::Capacity(_)) => Close::TooLarge(LIMIT).into(),
        Some(SocketError::Utf8(_)) => Close::NotUtf8.into(),
        // The connection is gone: nobody is there to be told.
        Some(SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => End::Left,
        Some(SocketError::Protocol(_)) => Close::BadFrame.into(),
        Some(_) | None => End::Left,
    }
}
