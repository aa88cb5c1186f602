//! All open connections and requests, with their caps and time-outs. At a cap, the connection that
//! has waited longest for its client gives its place to the new one.

use std::collections::HashMap;
use std::collections::hash_map;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::Gauge;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::activity::{Activity, CloseCause, TimeOuts};
use super::peer::Peer;
use super::stream::ConnectionStream;
use crate::metrics::{CONNECTIONS, CONNECTIONS_CLOSED, REQUESTS_REFUSED};

/// How many connections are closed at once when all places are taken, as a part of them. Looking
/// for the longest waiting one costs time in proportion to their number.
const REPLACED_PART: usize = 100;

/// How many connections may be closing beyond the cap. Each still has its open file.
const CLOSING_MAX: usize = 16;

/// The caps on connections, and on requests in progress. Over HTTP/2 one connection brings many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    pub(super) all: usize,
    /// For one peer.
    pub(super) peer: usize,
}

/// All open connections of a service.
#[derive(Debug)]
pub(super) struct Connections {
    caps: Caps,
    timeouts: TimeOuts,
    table: Mutex<Table>,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<u64, Entry>,
    next_id: u64,
    /// The entries that are not closing.
    open: usize,
    requests: usize,
    peers: HashMap<Peer, Usage>,
}

#[derive(Debug)]
struct Entry {
    stream: Arc<TcpStream>,
    activity: Arc<Activity>,
    peer: Option<Peer>,
    /// The service has shut it down; its task has yet to drop it.
    is_closing: bool,
}

/// What one peer holds.
#[derive(Debug, Default)]
struct Usage {
    connections: usize,
    requests: usize,
}

/// The place of one connection.
pub(super) struct Place {
    connections: Arc<Connections>,
    id: u64,
}

/// The place of one request in progress.
pub(super) struct RequestPlace {
    connections: Arc<Connections>,
    peer: Option<Peer>,
}

impl RequestPlace {
    /// How many connections the service may have.
    pub(super) fn connections_max(&self) -> usize {
        self.connections.caps.all
    }
}

impl Connections {
    pub(super) fn new(caps: Caps, timeouts: TimeOuts) -> Self {
        Self { caps, timeouts, table: Mutex::default(), gauge: metrics::gauge!(CONNECTIONS) }
    }

    /// Whether so many connections are closing that the next one should not be accepted yet.
    pub(super) fn is_crowded(&self) -> bool {
        self.lock().entries.len() >= self.caps.all + CLOSING_MAX
    }

    /// Gives a new connection a place. If there is none, and no other connection waits for its
    /// client, the new connection is closed.
    pub(super) fn admit(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: Option<Peer>,
    ) -> Option<(ConnectionStream, Arc<Activity>)> {
        let now = Instant::now();
        let mut table = self.lock();
        let has_peer_place = peer.is_none_or(|peer| {
            let held = table.peers.get(&peer).map_or(0, |usage| usage.connections);
            held < self.caps.peer || table.replace_longest_waiting(1, Some(peer))
        });
        let has_place = has_peer_place
            && (table.open < self.caps.all
                || table.replace_longest_waiting(self.caps.all.div_ceil(REPLACED_PART), None));
        if !has_place {
            count_closed(CloseCause::NoPlace);
            return None;
        }
        let (stream, activity) = (Arc::new(stream), Arc::new(Activity::new(now)));
        table.next_id += 1;
        let id = table.next_id;
        let entry = Entry { stream: Arc::clone(&stream), activity: Arc::clone(&activity), peer, is_closing: false };
        table.entries.insert(id, entry);
        table.open += 1;
        if let Some(peer) = peer {
            table.peers.entry(peer).or_default().connections += 1;
        }
        self.gauge.increment(1.0);
        let place = Place { connections: Arc::clone(self), id };
        Some((ConnectionStream::new(stream, Arc::clone(&activity), place), activity))
    }

    /// Gives a request a place; none if there is no place for it.
    pub(super) fn begin_request(self: &Arc<Self>, peer: Option<Peer>) -> Option<RequestPlace> {
        let mut table = self.lock();
        let held = peer.and_then(|peer| table.peers.get(&peer)).map_or(0, |usage| usage.requests);
        let refused = if held >= self.caps.peer {
            Some("peer")
        } else if table.requests >= self.caps.all && !table.replace_longest_waiting(1, None) {
            Some("all")
        } else {
            None
        };
        if let Some(cap) = refused {
            metrics::counter!(REQUESTS_REFUSED, "cap" => cap).increment(1);
            return None;
        }
        table.requests += 1;
        if let Some(peer) = peer {
            table.peers.entry(peer).or_default().requests += 1;
        }
        Some(RequestPlace { connections: Arc::clone(self), peer })
    }

    /// Closes the connection that has waited longest for its client. False if none waits.
    pub(super) fn replace_one(&self) -> bool {
        self.lock().replace_longest_waiting(1, None)
    }

    /// Closes the connection that holds the most bytes of deliveries among those that wait for
    /// their client, if it holds more than `count`. Returns how many it held: they belong to the
    /// caller. None if none holds so many.
    pub(super) fn take_back_larger_body(&self, count: usize) -> Option<usize> {
        let mut table = self.lock();
        let open = table.entries.iter().filter(|(_, entry)| !entry.is_closing);
        let held = open.filter_map(|(id, entry)| Some((entry.activity.held_while_waiting()?, *id, &entry.activity)));
        let (_, id, activity) = held.max_by_key(|(held, id, _)| (*held, *id))?;
        let taken_back = activity.take_back_bytes(count)?;
        table.close(id, CloseCause::Replaced);
        Some(taken_back)
    }

    /// Closes the connections whose time is over.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        self.lock().close_each(|activity| activity.sweep(&self.timeouts, now));
    }

    /// Closes the connections on which no whole request is in progress.
    pub(super) fn close_without_request(&self) {
        let now = Instant::now();
        self.lock().close_each(|activity| activity.is_without_request(now).then_some(CloseCause::Stopping));
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Closes up to `count` connections, those that have waited longest. False if none waits.
    fn replace_longest_waiting(&mut self, count: usize, peer: Option<Peer>) -> bool {
        let candidates = self
            .entries
            .iter()
            .filter(|(_, entry)| !entry.is_closing && peer.is_none_or(|peer| entry.peer == Some(peer)));
        let mut waiting: Vec<(Instant, u64)> =
            candidates.filter_map(|(id, entry)| Some((entry.activity.waiting_since()?, *id))).collect();
        waiting.sort_unstable();
        waiting.truncate(count);
        for (_, id) in &waiting {
            self.close(*id, CloseCause::Replaced);
        }
        !waiting.is_empty()
    }

    fn close_each(&mut self, cause: impl Fn(&Activity) -> Option<CloseCause>) {
        let open = self.entries.iter().filter(|(_, entry)| !entry.is_closing);
        let over: Vec<_> = open.filter_map(|(id, entry)| Some((*id, cause(&entry.activity)?))).collect();
        for (id, cause) in over {
            self.close(id, cause);
        }
    }

    /// Shuts a connection down. Its task notices, and drops it.
    fn close(&mut self, id: u64, cause: CloseCause) {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| !entry.is_closing) else { return };
        entry.is_closing = true;
        // It fails only if the client has closed the connection.
        let _ = rustix::net::shutdown(&*entry.stream, rustix::net::Shutdown::Both);
        let peer = entry.peer;
        self.release_place(peer);
        count_closed(cause);
        tracing::debug!(cause = cause.label(), "closing a connection");
    }

    fn release_place(&mut self, peer: Option<Peer>) {
        self.open -= 1;
        self.release_peer(peer, |usage| usage.connections -= 1);
    }

    fn release_peer(&mut self, peer: Option<Peer>, release: impl FnOnce(&mut Usage)) {
        if let Some(hash_map::Entry::Occupied(mut usage)) = peer.map(|peer| self.peers.entry(peer)) {
            release(usage.get_mut());
            if usage.get().connections == 0 && usage.get().requests == 0 {
                usage.remove();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.connections.lock();
        if let Some(entry) = table.entries.remove(&self.id)
            && !entry.is_closing
        {
            table.release_place(entry.peer);
        }
        self.connections.gauge.decrement(1.0);
    }
}

impl Drop for RequestPlace {
    fn drop(&mut self) {
        let mut table = self.connections.lock();
        table.requests -= 1;
        table.release_peer(self.peer, |usage| usage.requests -= 1);
    }
}

fn count_closed(cause: CloseCause) {
    metrics::counter!(CONNECTIONS_CLOSED, "cause" => cause.label()).increment(1);
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::server::peer::TrustedProxies;

    const HOUR: Duration = Duration::from_secs(3600);

    fn connections(all: usize, peer: usize) -> Arc<Connections> {
        let timeouts = TimeOuts { head: HOUR, idle: HOUR, write: HOUR };
        Arc::new(Connections::new(Caps { all, peer }, timeouts))
    }

    fn peer(address: &str) -> Option<Peer> {
        TrustedProxies::new(&[]).direct_peer(address.parse::<IpAddr>().unwrap())
    }

    /// Both ends of a connection.
    async fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn peer_at_its_cap_loses_its_own_longest_waiting_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connections = connections(10, 2);
        let (mut other_client, other) = connect(&listener).await;
        let _other = connections.admit(other, peer("192.0.2.2")).unwrap();
        let (mut first_client, first) = connect(&listener).await;
        let (first, first_activity) = connections.admit(first, peer("192.0.2.1")).unwrap();
        let (_second_client, second) = connect(&listener).await;
        let (_second, second_activity) = connections.admit(second, peer("192.0.2.1")).unwrap();
        // The first has a request in progress, so the second gives way.
        first_activity.begin_request(false, false, Instant::now());
        let (_third_client, third) = connect(&listener).await;
        let (_third, third_activity) = connections.admit(third, peer("192.0.2.1")).unwrap();
        second_activity.begin_request(false, false, Instant::now());
        third_activity.begin_request(false, false, Instant::now());
        let (_fourth_client, fourth) = connect(&listener).await;
        assert!(connections.admit(fourth, peer("192.0.2.1")).is_none(), "all connections of the peer are in use");
        first_activity.end_request(Instant::now());
        let (_fifth_client, fifth) = connect(&listener).await;
        assert!(connections.admit(fifth, peer("192.0.2.1")).is_some());
        assert_eq!(first_client.read(&mut [0]).await.unwrap(), 0, "the first is closed");
        let is_open = tokio::time::timeout(Duration::from_millis(50), other_client.read_u8()).await.is_err();
        assert!(is_open, "another peer's connection is not");
        drop(first);
    }

    #[tokio::test]
    async fn place_is_given_back_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connections = connections(2, 2);
        let mut held = Vec::new();
        for _ in 0..5 {
            let (client, stream) = connect(&listener).await;
            held.push((client, connections.admit(stream, peer("192.0.2.1")).unwrap()));
        }
        assert_eq!(connections.lock().open, 2);
        drop(held);
        let table = connections.lock();
        assert_eq!((table.open, table.entries.len(), table.peers.len()), (0, 0, 0));
    }

    #[test]
    fn request_beyond_the_cap_of_its_peer_is_refused() {
        let connections = connections(3, 2);
        let first = connections.begin_request(peer("192.0.2.1")).unwrap();
        let _second = connections.begin_request(peer("192.0.2.1")).unwrap();
        assert!(connections.begin_request(peer("192.0.2.1")).is_none());
        let _other = connections.begin_request(None).unwrap();
        assert!(connections.begin_request(None).is_none(), "all places are taken, and nothing waits");
        drop(first);
        assert!(connections.begin_request(peer("192.0.2.1")).is_some());
        assert_eq!(connections.lock().requests, 2);
    }
}
