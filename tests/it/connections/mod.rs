//! What a client can hold of the service before it has proven anything, and how long.

mod answers;
mod bodies;
mod caps;
mod failures;
mod heads;
mod hostile;
mod http2;
mod sockets;

use crate::harness::{Database, Launch, Process, RawConnection};

/// Starts a service whose time-outs are one second each, except for those in `settings`.
async fn start(database: &Database, settings: &[(&str, &str)]) -> Process {
    configure(Launch::new(database.directory()), settings).serve(0, database).await
}

fn configure(launch: Launch, settings: &[(&str, &str)]) -> Launch {
    let timeouts = ["HEAD_TIMEOUT_SECONDS", "BODY_TIMEOUT_SECONDS", "WRITE_TIMEOUT_SECONDS", "IDLE_TIMEOUT_SECONDS"];
    let launch = timeouts.iter().fold(launch, |launch, name| launch.env(&format!("BIDARC_SERVER__{name}"), "1"));
    settings.iter().fold(launch, |launch, (name, value)| launch.env(&format!("BIDARC_SERVER__{name}"), value))
}

/// How many connections the service has closed for this cause.
async fn closed(service: &Process, cause: &str) -> f64 {
    service.metric(&format!("bidarc_connections_closed_total{{cause=\"{cause}\"}}")).await
}

/// Sends a request that keeps the connection open.
async fn get_health(service: &Process, connection: &mut RawConnection) {
    connection.write(&format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", service.authority())).await;
    assert!(connection.read_until("ok\n").await.starts_with("HTTP/1.1 200 "));
}
