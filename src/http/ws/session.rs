//! The protocol state of one socket: its authentication, its operations, and its next message. It
//! does no I/O; `driver` reads and writes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::ws::Message;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::WsState;
use super::close::CloseReason;
use super::connection_init::ConnectionInit;
use super::operations::Operations;
use super::protocol::{ClientMessage, Protocol};
use crate::auth::{Access, AccessError};
use crate::graphql::OperationMessage;
use crate::graphql::error::LIMIT_EXCEEDED;
use crate::http::access;
use crate::http::graphql::error_list;
use crate::http::server::Exchange;
use crate::http::stream_caps::StreamPlace;

/// How many bytes of replies may wait for a peer that sends but does not receive. At the limit,
/// reading from it pauses.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// How many bytes of operations' messages may be buffered for a peer that does not receive them,
/// one message of each operation. Beyond this the socket is closed.
const BUFFERED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The protocol state of one socket.
pub(super) struct Session {
    protocol: Protocol,
    sockets: WsState,
    /// The request that opened the socket.
    exchange: Arc<Exchange>,
    auth_state: AuthState,
    operations: Operations,
    /// Messages that belong to no running operation: acknowledgement, pings, pongs and refusals.
    replies: VecDeque<Message>,
}

/// How far the client is authenticated.
enum AuthState {
    /// It has not sent `connection_init`.
    AwaitingInit(Arc<ConnectionInit>),
    /// Its `connection_init` is being checked.
    Authenticating(BoxFuture<'static, Result<Access, AccessError>>),
    /// It is authenticated, until its access is revoked.
    Acknowledged { access: Access, place: StreamPlace, revocation: BoxFuture<'static, AccessError> },
}

impl Session {
    pub(super) fn new(protocol: Protocol, sockets: WsState, init: ConnectionInit, exchange: Arc<Exchange>) -> Self {
        let auth_state = AuthState::AwaitingInit(Arc::new(init));
        let (operations, replies) = (Operations::default(), VecDeque::new());
        Self { protocol, sockets, exchange, auth_state, operations, replies }
    }

    /// Whether the client is authenticated.
    pub(super) fn is_acknowledged(&self) -> bool {
        match &self.auth_state {
            AuthState::Acknowledged { .. } => true,
            AuthState::AwaitingInit(_) | AuthState::Authenticating(_) => false,
        }
    }

    /// Whether so many replies wait that reading should pause.
    pub(super) fn is_reply_queue_full(&self) -> bool {
        self.replies.iter().map(message_bytes).sum::<usize>() >= REPLY_BYTES_MAX
    }

    /// Handles a message from the client. An error is the reason to close the socket.
    pub(super) fn receive(&mut self, text: &str) -> Result<(), CloseReason> {
        match self.protocol.parse(text, self.is_acknowledged())? {
            ClientMessage::ConnectionInit(payload) => match &self.auth_state {
                AuthState::AwaitingInit(init) => {
                    let init = Arc::clone(init);
                    self.auth_state =
                        AuthState::Authenticating(async move { init.authenticate(&payload).await }.boxed());
                }
                AuthState::Authenticating(_) | AuthState::Acknowledged { .. } => return Err(CloseReason::TooManyInits),
            },
            ClientMessage::Subscribe(id, request) => match &self.auth_state {
                AuthState::Acknowledged { .. } if self.operations.contains(&id) => {
                    return Err(CloseReason::SubscriberExists(id));
                }
                AuthState::Acknowledged { .. } if self.operations.len() >= self.sockets.operations_max => {
                    let max = self.sockets.operations_max;
                    let problem =
                        format!("a socket may run at most {max} operations at once (server.max_operations_per_socket)");
                    self.replies.push_back(self.protocol.error(&id, &error_list(&problem, LIMIT_EXCEEDED)));
                }
                AuthState::Acknowledged { access, place, .. } => {
                    let operation = self.sockets.graphql.read(*request);
                    match place.begin_operation(operation.held_bytes()) {
                        Ok(place) => {
                            let responses = self.sockets.graphql.stream(operation, *access, None);
                            let responses = access::gate_on_access(&self.sockets.policy.keys, *access, responses);
                            self.operations.start(id.into(), responses, Some(place));
                        }
                        Err(cap) => {
                            let errors = error_list(&cap.to_string(), LIMIT_EXCEEDED);
                            self.replies.push_back(self.protocol.error(&id, &errors));
                        }
                    }
                }
                AuthState::AwaitingInit(_) | AuthState::Authenticating(_) => return Err(CloseReason::Unauthorized),
            },
            ClientMessage::Complete(id) => {
                if self.operations.stop(&id) {
                    self.replies.extend(self.protocol.stopped(&id));
                }
            }
            ClientMessage::Ping(payload) => self.replies.push_back(self.protocol.pong(payload)),
            ClientMessage::Pong => {}
            ClientMessage::Terminate => return Err(CloseReason::Terminated),
        }
        Ok(())
    }

    /// Queues a keep-alive.
    pub(super) fn keep_alive(&mut self) {
        self.replies.extend(self.protocol.keep_alive());
    }

    /// Completes the authentication, then watches for a revocation. Ready if the socket must be
    /// closed.
    pub(super) fn poll_auth(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        loop {
            match &mut self.auth_state {
                AuthState::AwaitingInit(_) => return Poll::Pending,
                AuthState::Authenticating(result) => match ready!(result.poll_unpin(cx)) {
                    Ok(access) => {
                        let place = match self.sockets.caps.open(access, self.exchange.connections_max()) {
                            Ok(place) => place,
                            Err(cap) => return Poll::Ready(cap.into()),
                        };
                        self.exchange.prove_socket();
                        self.replies.extend(self.protocol.acknowledgement());
                        let keys = self.sockets.policy.keys.clone();
                        let revocation = async move { keys.wait_until_revoked(access).await }.boxed();
                        self.auth_state = AuthState::Acknowledged { access, place, revocation };
                    }
                    Err(denied) => {
                        let reason = CloseReason::from(denied);
                        let limited = access::record_failure(denied, &self.exchange);
                        return Poll::Ready(limited.map_or_else(CloseReason::TooManyFailures, |()| reason));
                    }
                },
                AuthState::Acknowledged { revocation, .. } => return revocation.poll_unpin(cx).map(CloseReason::from),
            }
        }
    }

    /// Polls the operations while nothing can be written, and counts what waits for the client:
    /// `unsent` bytes, and one message of each operation.
    ///
    /// # Errors
    ///
    /// More than [`BUFFERED_BYTES_MAX`] wait, or more than the key may have.
    pub(super) fn poll_prefetch(&mut self, unsent: usize, cx: &mut Context<'_>) -> Result<(), CloseReason> {
        let (bytes, messages) = self.operations.poll_prefetch(cx);
        // A single message may be larger than the limit.
        if bytes > BUFFERED_BYTES_MAX && messages > 1 {
            return Err(CloseReason::TooSlow);
        }
        self.count_waiting(unsent + bytes)
    }

    /// Records how many bytes wait for the client.
    ///
    /// # Errors
    ///
    /// They are more than the key may have.
    pub(super) fn count_waiting(&mut self, bytes: usize) -> Result<(), CloseReason> {
        match &mut self.auth_state {
            AuthState::Acknowledged { place, .. } => Ok(place.set_waiting(bytes)?),
            AuthState::AwaitingInit(_) | AuthState::Authenticating(_) => Ok(()),
        }
    }

    /// The next message to send, or the reason to close the socket.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, CloseReason>> {
        if let Some(reply) = self.replies.pop_front() {
            return Poll::Ready(Ok(reply));
        }
        let (id, message) = ready!(self.operations.poll_next(cx));
        Poll::Ready(match message {
            Some(OperationMessage::Next(response)) => Ok(self.protocol.next(&id, &response)),
            Some(OperationMessage::Refused(errors)) => Ok(self.protocol.error(&id, &errors)),
            None => Ok(self.protocol.complete(&id)),
        })
    }
}

/// The size of a message on its way to a peer.
pub(super) fn message_bytes(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}
