//! Many subscriptions, opened and confirmed: all of them receive every later event.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::socket::{Subscriber, Transport};
use crate::load::Connection;
use crate::server::Running;
use crate::{Failure, seed};

/// How many events are posted to confirm the subscriptions.
const CONFIRMING_POSTS_MAX: u64 = 20;
/// How long a subscriber may take to receive an event.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens this many subscriptions, and waits until all of them receive events.
pub(super) async fn subscribe(
    server: &Running,
    subscribers: usize,
    transport: Transport,
    query: impl Fn(usize) -> String,
) -> Result<Vec<Subscriber>, Failure> {
    let mut open = Vec::with_capacity(subscribers);
    for subscriber in 0..subscribers {
        open.push(Subscriber::open_over(transport, server.address, &query(subscriber)).await?);
    }
    wait_until_active(server.address, &mut open).await?;
    Ok(open)
}

/// Posts events until all subscribers have received one, so all of them are active. Returns how
/// many events it posted.
pub(crate) async fn wait_until_active(address: SocketAddr, open: &mut [Subscriber]) -> Result<u64, Failure> {
    let mut connection = Connection::open(address).await?;
    for posted in 1..=CONFIRMING_POSTS_MAX {
        seed::post_project(&mut connection, seed::next_project()).await?;
        let mut all_received = true;
        for subscriber in &mut *open {
            match timeout(RECEIVE_TIMEOUT, subscriber.receive()).await {
                Ok(frame) => frame?,
                Err(_) => all_received = false,
            }
        }
        if all_received {
            // Drains further events, so all subscribers begin at the same one.
            for subscriber in &mut *open {
                while let Ok(frame) = timeout(Duration::from_millis(1), subscriber.receive()).await {
                    frame?;
                }
            }
            return Ok(posted);
        }
    }
    Err("not all subscribers receive events".into())
}
