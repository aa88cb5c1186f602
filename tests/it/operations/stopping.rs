//! SIGTERM: what was begun is finished, sockets are told, and the process ends well.

use serde_json::json;
use tokio::net::TcpStream;

use crate::harness::{BOUND, Database, Message, Process, Service, Wire, eventually, fixture};

#[tokio::test]
async fn what_was_in_flight_is_answered_and_sockets_are_closed_as_going_away() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let mut socket = service.socket().await;
    socket.subscribe("1", "subscription { events { id } }", json!({})).await;
    // A delivery whose body the service waits for.
    let body = fixture("arcsite/project_created.json");
    let mut wire = Wire::begin_post(&service, "/webhooks/arcsite", body.len()).await;
    wire.write(&body[..10]).await;

    service.terminate().await;
    assert_eq!(socket.message().await, Message::Closed(Some(1001)));
    let address = service.authority().to_owned();
    eventually("nobody new is let in", BOUND, async || TcpStream::connect(&address).await.err()).await;

    wire.write(&body[10..]).await;
    let answer = wire.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""outcome":"ACCEPTED""#), "{answer}");
    let log = service.log_so_far();
    let status = service.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    database.assert_sound().await;
    assert_eq!(database.numbers("SELECT COUNT(*) FROM event").await, [1]);
}

/// A sender that never comes to its end holds the service up for the grace time and no longer.
#[tokio::test]
async fn the_grace_time_is_the_longest_it_takes() {
    let database = Database::fresh();
    let launch = crate::harness::Launch::new(database.directory()).env("BIDARC_SERVER__SHUTDOWN_GRACE_SECONDS", "1");
    let service = launch.serve(0, &database).await;
    let _held = Wire::begin_post(&service, "/webhooks/arcsite", 1000).await;
    service.stop(&database).await;
}

/// The same in this process: an idle connection and a socket hold nothing up.
#[tokio::test]
async fn idle_connections_hold_nothing_up() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let _idle = TcpStream::connect(service.authority()).await.unwrap();
    service.stop().await;
    assert_eq!(socket.message().await, Message::Closed(Some(1001)));
}
