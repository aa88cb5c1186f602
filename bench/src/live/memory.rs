//! The memory and set-up time of idle subscribers.

use std::time::Instant;

use super::QUERY;
use super::socket::Subscriber;
use crate::report::progress;
use crate::server::{Kind, Running};
use crate::{Failure, server};

/// How many subscribers are opened at once.
const CONCURRENT_OPENS: usize = 64;

/// Opens this many subscriptions, and reports their cost.
pub(super) async fn run(idle: usize) -> Result<String, Failure> {
    progress(&format!("memory of {idle} idle subscribers"));
    let directory = tempfile::tempdir()?;
    let server = Running::start(Kind::Bidarc, &server::sqlite(&directory.path().join("live.db"))).await?;
    // The first subscriptions allocate what all of them share.
    let mut open = Vec::new();
    for _ in 0..CONCURRENT_OPENS {
        open.push(Subscriber::open(server.address, QUERY).await?);
    }
    let before = server.memory()?;
    let started = Instant::now();
    let mut opening = tokio::task::JoinSet::new();
    for offset in 0..CONCURRENT_OPENS {
        let address = server.address;
        opening.spawn(async move {
            let mut open = Vec::new();
            for _ in (offset..idle).step_by(CONCURRENT_OPENS) {
                let mut subscriber = Subscriber::open(address, QUERY).await?;
                // The pong follows all earlier requests, so the subscription is active.
                subscriber.ping().await?;
                open.push(subscriber);
            }
            Ok::<_, Failure>(open)
        });
    }
    while let Some(opened) = opening.join_next().await {
        open.extend(opened??);
    }
    let took = started.elapsed();
    let after = server.memory()?;
    server.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "far less than 2^52 bytes")]
    let each = after.saturating_sub(before) as f64 / idle as f64 / 1000.0;
    Ok(format!(
        "{idle} subscriptions set up in {:.1} s. Each takes {each:.1} kB of memory while idle.",
        took.as_secs_f64()
    ))
}
