//! SIGTERM: the service finishes requests in flight, closes the sockets and exits with code 0.

use serde_json::json;
use tokio::net::TcpStream;

use crate::harness::{Database, Message, Process, RawConnection, Service, TIMEOUT, eventually, fixture};

#[tokio::test]
async fn stopping_service_finishes_requests_and_closes_sockets_with_1001() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let mut socket = service.socket().await;
    socket.subscribe("1", "subscription { events { id } }", json!({})).await;
    // The service waits for the body of this delivery.
    let body = fixture("arcsite/project_created.json");
    let mut connection = RawConnection::begin_post(&service, "/webhooks/arcsite", body.len()).await;
    connection.write(&body[..10]).await;

    service.terminate().await;
    assert_eq!(socket.message().await, Message::Closed(Some(1001)));
    let address = service.authority().to_owned();
    eventually("new connections are refused", TIMEOUT, async || TcpStream::connect(&address).await.err()).await;

    connection.write(&body[10..]).await;
    let response = connection.read_to_end().await;
    assert!(response.starts_with("HTTP/1.1 200 ") && response.contains(r#""outcome":"ACCEPTED""#), "{response}");
    let log = service.log_so_far();
    let status = service.wait().await;
    assert_eq!(status.code(), Some(0), "{log}");
    database.assert_consistent().await;
    assert_eq!(database.numbers("SELECT COUNT(*) FROM event").await, [1]);
}

/// A request that never ends delays the stop for the grace time and no longer.
#[tokio::test]
async fn unfinished_request_delays_the_stop_only_for_the_grace_time() {
    let database = Database::fresh();
    let launch = crate::harness::Launch::new(database.directory()).env("BIDARC_SERVER__SHUTDOWN_GRACE_SECONDS", "1");
    let service = launch.serve(0, &database).await;
    let _unfinished = RawConnection::begin_post(&service, "/webhooks/arcsite", 1000).await;
    service.stop(&database).await;
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_stop() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let _idle = TcpStream::connect(service.authority()).await.unwrap();
    service.stop().await;
    assert_eq!(socket.message().await, Message::Closed(Some(1001)));
}
