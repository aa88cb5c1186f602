//! The bytes of one connection. Reads and writes are noted in its [`Activity`].

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::activity::Activity;
use super::connections::Place;

/// An accepted connection. It holds its place among the open connections until it is dropped.
pub(super) struct ConnectionStream {
    stream: Arc<TcpStream>,
    activity: Arc<Activity>,
    _place: Place,
}

/// The error of reading from a socket that sends too much before it has proven itself.
#[derive(Debug, thiserror::Error)]
#[error("too many bytes came before connection_init")]
pub(in crate::http) struct TooMuchBeforeProof;

impl ConnectionStream {
    pub(super) const fn new(stream: Arc<TcpStream>, activity: Arc<Activity>, place: Place) -> Self {
        Self { stream, activity, _place: place }
    }

    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        length: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.stream.poll_write_ready(cx)? {
                Poll::Pending => {
                    self.activity.on_write_blocked(Instant::now());
                    return Poll::Pending;
                }
                Poll::Ready(()) => match write(&self.stream) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Ok(count) => {
                        self.activity.on_written(count, count == length);
                        return Poll::Ready(Ok(count));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                },
            }
        }
    }
}

impl AsyncRead for ConnectionStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(count) => {
                    let may_go_on = count == 0 || self.activity.on_read(count, Instant::now());
                    return Poll::Ready(if may_go_on { Ok(()) } else { Err(io::Error::other(TooMuchBeforeProof)) });
                }
            }
        }
    }
}

impl AsyncWrite for ConnectionStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, bytes.len(), |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = parts.iter().map(|part| part.len()).sum();
        self.poll_write_with(cx, length, |stream| stream.try_write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// TCP has no buffer of ours to flush.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(rustix::net::shutdown(&*self.stream, rustix::net::Shutdown::Write)?))
    }
}
