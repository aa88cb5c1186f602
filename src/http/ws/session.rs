//! The conversation on one socket: who it is, what was asked for, and what is to be said next. It neither reads nor writes; `turn`
//! does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::ws::Utf8Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::close::CloseReason;
use super::connection_init::ConnectionInit;
use super::operations::{OPERATIONS_MAX, Operations};
use super::protocol::{self, ClientMessage};
use crate::auth::{Access, AccessError, Keys};
use crate::graphql::{Executor, OperationMessage};
use crate::http::access;
use crate::http::graphql::error_list;

/// How many bytes of replies may wait for a peer that sends and does not receive. Past it nothing more is read of it.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// How many bytes of its operations wait for a peer that does not receive them: one message of each. Past it the socket is closed.
const BUFFERED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The conversation on one socket.
pub(super) struct Session {
    graphql: Executor,
    keys: Keys,
    auth_state: AuthState,
    operations: Operations,
    /// What is said outside of operations: acknowledgement, pings and pongs, refusals.
    replies: VecDeque<Utf8Bytes>,
}

/// Who is at the other end.
enum AuthState {
    /// It has not said.
    AwaitingInit(Arc<ConnectionInit>),
    /// It has said, and is looked up.
    Authenticating(BoxFuture<'static, Result<Access, AccessError>>),
    /// It is let in, until its access is lost.
    Acknowledged { access: Access, lost: BoxFuture<'static, AccessError> },
}

impl Session {
    pub(super) fn new(graphql: Executor, keys: Keys, knock: ConnectionInit) -> Self {
        let standing = AuthState::AwaitingInit(Arc::new(knock));
        Self { graphql, keys, auth_state: standing, operations: Operations::default(), replies: VecDeque::new() }
    }

    /// Whether it is known who is at the other end, and that it may be there.
    pub(super) fn is_acknowledged(&self) -> bool {
        match &self.auth_state {
            AuthState::Acknowledged { .. } => true,
            AuthState::AwaitingInit(_) | AuthState::Authenticating(_) => false,
        }
    }

    /// Whether so much is to be said already that nothing more should be asked.
    pub(super) fn has_full_replies(&self) -> bool {
        self.replies.iter().map(|reply| reply.len()).sum::<usize>() >= REPLY_BYTES_MAX
    }

    /// Takes a message of the client.
    ///
    /// # Errors
    ///
    /// Where the protocol has the socket closed for it.
    pub(super) fn receive(&mut self, text: &str) -> Result<(), CloseReason> {
        match ClientMessage::parse(text)? {
            ClientMessage::ConnectionInit(payload) => match &self.auth_state {
                AuthState::AwaitingInit(knock) => {
                    let knock = Arc::clone(knock);
                    self.auth_state =
                        AuthState::Authenticating(async move { knock.authenticate(&payload).await }.boxed());
                }
                AuthState::Authenticating(_) | AuthState::Acknowledged { .. } => return Err(CloseReason::TooManyInits),
            },
            ClientMessage::Subscribe(id, request) => match &self.auth_state {
                AuthState::Acknowledged { .. } if self.operations.has(&id) => {
                    return Err(CloseReason::SubscriberExists(id));
                }
                AuthState::Acknowledged { .. } if self.operations.is_full() => {
                    let problem = format!("a socket may have {OPERATIONS_MAX} operations under way, no more");
                    self.replies.push_back(protocol::error(&id, &error_list(&problem, "LIMIT_EXCEEDED")));
                }
                AuthState::Acknowledged { access, .. } => {
                    let responses = access::gate_on_access(&self.keys, *access, self.graphql.stream(*request, *access));
                    self.operations.start(id.into(), responses);
                }
                AuthState::AwaitingInit(_) | AuthState::Authenticating(_) => return Err(CloseReason::Unauthorized),
            },
            ClientMessage::Complete(id) => self.operations.stop(&id),
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
    pub(super) fn poll_auth(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        loop {
            match &mut self.auth_state {
                AuthState::AwaitingInit(_) => return Poll::Pending,
                AuthState::Authenticating(answer) => match ready!(answer.poll_unpin(cx)) {
                    Ok(access) => {
                        self.replies.push_back(protocol::ACK);
                        let keys = self.keys.clone();
                        let lost = async move { keys.wait_until_revoked(access).await }.boxed();
                        self.auth_state = AuthState::Acknowledged { access, lost };
                    }
                    Err(denied) => return Poll::Ready(denied.into()),
                },
                AuthState::Acknowledged { lost, .. } => return lost.poll_unpin(cx).map(CloseReason::from),
            }
        }
    }

    /// Lets operations go on while nothing can be said.
    ///
    /// # Errors
    ///
    /// Where more waits than is kept for a peer.
    pub(super) fn poll_prefetch(&mut self, cx: &mut Context<'_>) -> Result<(), CloseReason> {
        let (bytes, messages) = self.operations.poll_prefetch(cx);
        // A single message may be as large as it is.
        if bytes > BUFFERED_BYTES_MAX && messages > 1 { Err(CloseReason::TooSlow) } else { Ok(()) }
    }

    /// What is to be said next, or that the socket is to be closed.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, CloseReason>> {
        if let Some(reply) = self.replies.pop_front() {
            return Poll::Ready(Ok(reply));
        }
        let (id, message) = ready!(self.operations.poll_next(cx));
        Poll::Ready(match message {
            Some(OperationMessage::Next(response)) => Ok(protocol::next(&id, &response)),
            Some(OperationMessage::Refused(errors)) => Ok(protocol::error(&id, &errors)),
            Some(OperationMessage::Lagged) => Err(CloseReason::TooSlow),
            None => Ok(protocol::complete(&id)),
        })
    }
}
