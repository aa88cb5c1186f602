//! What a subscriber costs that has nothing to do.

use std::time::Instant;

use super::QUERY;
use super::socket::Subscriber;
use crate::report::say;
use crate::server::{Kind, Running};
use crate::{Failure, server};

/// Subscribers that are opened at once.
const AT_ONCE: usize = 64;

/// Opens so many subscriptions, and reports what they cost.
pub(super) async fn run(idle: usize) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let server = Running::start(Kind::Bidarc, &server::sqlite(&directory.path().join("live.db"))).await?;
    // The first few make what all share.
    let mut open = Vec::new();
    for _ in 0..AT_ONCE {
        open.push(Subscriber::open(server.address, QUERY).await?);
    }
    let before = server.memory()?;
    let began = Instant::now();
    let mut opening = tokio::task::JoinSet::new();
    for opener in 0..AT_ONCE {
        let address = server.address;
        opening.spawn(async move {
            let mut open = Vec::new();
            for _ in (opener..idle).step_by(AT_ONCE) {
                let mut subscriber = Subscriber::open(address, QUERY).await?;
                // A pong comes after all that was asked for before: it is subscribed then.
                subscriber.ping().await?;
                open.push(subscriber);
            }
            Ok::<_, Failure>(open)
        });
    }
    while let Some(opened) = opening.join_next().await {
        open.extend(opened??);
    }
    let took = began.elapsed();
    let after = server.memory()?;
    server.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "far less than 2^52 bytes")]
    let each = after.saturating_sub(before) as f64 / idle as f64 / 1000.0;
    say(&format!(
        "{idle} subscriptions were set up in {:.1} s; {each:.1} kB of memory each while nothing comes",
        took.as_secs_f64()
    ))
}
