//! Many subscriptions that are known to stand: what is posted from then on reaches all of them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::socket::Subscriber;
use crate::load::Connection;
use crate::server::Running;
use crate::{Failure, seed};

/// How often it is tried to post an event of which all subscribers hear.
const SETTLING_POSTS: u64 = 20;
/// How long each of them may take to hear of it.
const HEAR_WITHIN: Duration = Duration::from_secs(5);

/// Opens so many subscriptions, and waits until all of them hear of events.
pub(super) async fn subscribe(
    server: &Running,
    subscribers: usize,
    query: impl Fn(usize) -> String,
) -> Result<Vec<Subscriber>, Failure> {
    let mut open = Vec::with_capacity(subscribers);
    for subscriber in 0..subscribers {
        open.push(Subscriber::open(server.address, &query(subscriber)).await?);
    }
    settle(server.address, &mut open).await?;
    Ok(open)
}

/// Posts events until all subscribers have heard of one: then all of them are subscribed. Gives how many it took.
pub(crate) async fn settle(address: SocketAddr, open: &mut [Subscriber]) -> Result<u64, Failure> {
    let mut poster = Connection::open(address).await?;
    for posted in 1..=SETTLING_POSTS {
        seed::post_project(&mut poster, seed::fresh()).await?;
        let mut heard = true;
        for subscriber in &mut *open {
            match timeout(HEAR_WITHIN, subscriber.one()).await {
                Ok(frame) => frame?,
                Err(_) => heard = false,
            }
        }
        if heard {
            // Those who heard of more than one begin alike.
            for subscriber in &mut *open {
                while let Ok(frame) = timeout(Duration::from_millis(1), subscriber.one()).await {
                    frame?;
                }
            }
            return Ok(posted);
        }
    }
    Err("not all subscribers hear of events".into())
}
