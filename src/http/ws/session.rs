//! The conversation on one socket: who it is, what was asked for, and what is to be said next. It neither reads nor writes; `turn`
//! does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::ws::Utf8Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::close::Close;
use super::connection_init::Knock;
use super::operations::{MOST, Operations};
use super::protocol::{self, ClientMessage};
use crate::auth::{Access, Denied, Keys};
use crate::graphql::{Executor, Message};
use crate::http::access;
use crate::http::graphql::error_list;

/// How many bytes of replies may wait for a peer that sends and does not receive. Past it nothing more is read of it.
const REPLIES: usize = 64 * 1024;

/// How many bytes of its operations wait for a peer that does not receive them: one message of each. Past it the socket is closed.
const WAITING: usize = 16 * 1024 * 1024;

/// The conversation on one socket.
pub(super) struct Session {
    graphql: Executor,
    keys: Keys,
    standing: Standing,
    operations: Operations,
    /// What is said outside of operations: acknowledgement, pings and pongs, refusals.
    replies: VecDeque<Utf8Bytes>,
}

/// Who is at the other end.
enum Standing {
    /// It has not said.
    Unknown(Arc<Knock>),
    /// It has said, and is looked up.
    Knocking(BoxFuture<'static, Result<Access, Denied>>),
    /// It is let in, until its access is lost.
    LetIn { access: Access, lost: BoxFuture<'static, Denied> },
}

impl Session {
    pub(super) fn new(graphql: Executor, keys: Keys, knock: Knock) -> Self {
        let standing = Standing::Unknown(Arc::new(knock));
        Self { graphql, keys, standing, operations: Operations::default(), replies: VecDeque::new() }
    }

    /// Whether it is known who is at the other end, and that it may be there.
    pub(super) fn is_let_in(&self) -> bool {
        match &self.standing {
            Standing::LetIn { .. } => true,
            Standing::Unknown(_) | Standing::Knocking(_) => false,
        }
    }

    /// Whether so much is to be said already that nothing more should be asked.
    pub(super) fn is_full(&self) -> bool {
        self.replies.iter().map(|reply| reply.len()).sum::<usize>() >= REPLIES
    }

    /// Takes a message of the client.
    ///
    /// # Errors
    ///
    /// Where the protocol has the socket closed for it.
    pub(super) fn receive(&mut self, text: &str) -> Result<(), Close> {
        match ClientMessage::parse(text)? {
            ClientMessage::ConnectionInit(payload) => match &self.standing {
                Standing::Unknown(knock) => {
                    let knock = Arc::clone(knock);
                    self.standing = Standing::Knocking(async move { knock.answer(&payload).await }.boxed());
                }
                Standing::Knocking(_) | Standing::LetIn { .. } => return Err(Close::TooManyInits),
            },
            ClientMessage::Subscribe(id, request) => match &self.standing {
                Standing::LetIn { .. } if self.operations.has(&id) => return Err(Close::SubscriberExists(id)),
                Standing::LetIn { .. } if self.operations.is_full() => {
                    let problem = format!("a socket may have {MOST} operations under way, no more");
                    self.replies.push_back(protocol::error(&id, &error_list(&problem, "LIMIT_EXCEEDED")));
                }
                Standing::LetIn { access, .. } => {
                    let responses =
                        access::while_it_stands(&self.keys, *access, self.graphql.stream(*request, *access));
                    self.operations.start(id.into(), responses);
                }
                Standing::Unknown(_) | Standing::Knocking(_) => return Err(Close::Unauthorized),
            },
            ClientMessage::Complete(id) => self.operations.end(&id),
            ClientMessage::Ping(payload) => self.replies.push_back(protocol::pong(payload)),
            ClientMessage::Pong => {}
        }
        Ok(())
    }

    /// Asks the peer whether it is there.
    pub(super) fn ping(&mut self) {
        self.replies.push_back(protocol::PING);
    }

    /// Finds out who is at the other end, and watches whether it may stay. Ready where it may not.
    pub(super) fn poll_denied(&mut self, cx: &mut Context<'_>) -> Poll<Close> {
        loop {
            match &mut self.standing {
                Standing::Unknown(_) => return Poll::Pending,
                Standing::Knocking(answer) => match ready!(answer.poll_unpin(cx)) {
                    Ok(access) => {
                        self.replies.push_back(protocol::ACK);
                        let keys = self.keys.clone();
                        let lost = async move { keys.lost(access).await }.boxed();
                        self.standing = Standing::LetIn { access, lost };
                    }
                    Err(denied) => return Poll::Ready(denied.into()),
                },
                Standing::LetIn { lost, .. } => return lost.poll_unpin(cx).map(Close::from),
            }
        }
    }

    /// Lets operations go on while nothing can be said.
    ///
    /// # Errors
    ///
    /// Where more waits than is kept for a peer.
    pub(super) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Result<(), Close> {
        let (bytes, messages) = self.operations.poll_ahead(cx);
        // A single message may be as large as it is.
        if bytes > WAITING && messages > 1 { Err(Close::TooSlow) } else { Ok(()) }
    }

    /// What is to be said next, or that the socket is to be closed.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, Close>> {
        if let Some(reply) = self.replies.pop_front() {
            return Poll::Ready(Ok(reply));
        }
        let (id, message) = ready!(self.operations.poll_next(cx));
        Poll::Ready(match message {
            Some(Message::Next(response)) => Ok(protocol::next(&id, &response)),
            Some(Message::Refused(errors)) => Ok(protocol::error(&id, &errors)),
            Some(Message::TooSlow) => Err(Close::TooSlow),
            None => Ok(protocol::complete(&id)),
        })
    }
}
