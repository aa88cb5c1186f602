//! A stop by SIGTERM, SIGHUP or Ctrl-C: the service finishes the requests in progress, lets go of
//! what has not been read whole, closes the sockets and exits with code 0. A second signal ends it
//! at once.

use serde_json::json;
use tokio::net::TcpStream;

use crate::harness::{
    Client, Database, Launch, Message, Process, RawConnection, Service, TIMEOUT, eventually, fixture,
};

/// A grace time that no test waits for.
const LONG_GRACE: &str = "60";

async fn start(database: &Database) -> Process {
    Launch::new(database.directory()).env("BIDARC_SERVER__SHUTDOWN_GRACE_SECONDS", LONG_GRACE).serve(0, database).await
}

/// Begins a delivery. Returns when the service has read it whole and waits for the database.
async fn begin_delivery(service: &Client) -> RawConnection {
    let body = fixture("arcsite/project_created.json");
    let mut connection = RawConnection::begin_post(service, "/webhooks/arcsite", body.len()).await;
    connection.write(&body).await;
    let length = f64::from(u32::try_from(body.len()).unwrap());
    let is_read = async || (service.metric("bidarc_body_bytes").await == length).then_some(());
    eventually("the body is read", TIMEOUT, is_read).await;
    connection
}

#[tokio::test]
async fn stop_finishes_requests_and_closes_sockets_with_1001() {
    for signal in ["TERM", "HUP", "INT"] {
        let database = Database::fresh();
        let service = start(&database).await;
        let mut socket = service.socket().await;
        socket.subscribe("1", "subscription { events { id } }", json!({})).await;
        let lock = database.hold_write_lock().await;
        let mut connection = begin_delivery(&service).await;

        service.signal(signal).await;
        assert_eq!(socket.message().await, Message::Closed(Some(1001)), "{signal}");
        let address = service.authority().to_owned();
        eventually("new connections are refused", TIMEOUT, async || TcpStream::connect(&address).await.err()).await;

        lock.rollback().await.unwrap();
        let response = connection.read_to_end().await;
        assert!(response.starts_with("HTTP/1.1 200 ") && response.contains(r#""outcome":"ACCEPTED""#), "{response}");
        let log = service.log_so_far();
        let status = service.wait().await;
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
        database.assert_consistent().await;
        assert_eq!(database.numbers("SELECT COUNT(*) FROM event").await, [1]);
    }
}

/// The grace time is for whole requests.
#[tokio::test]
async fn stop_lets_go_of_what_is_not_read_whole() {
    let database = Database::fresh();
    let service = start(&database).await;
    let _half_body = RawConnection::begin_post(&service, "/webhooks/arcsite", 1000).await;
    let mut half_head = RawConnection::open(&service).await;
    half_head.write("POST /webhooks/arcsite HTTP/1.1\r\nHost:").await;
    let mut idle = RawConnection::open(&service).await;
    idle.write(&format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", service.authority())).await;
    assert!(idle.read_until("ok\n").await.starts_with("HTTP/1.1 200 "));
    let _silent = RawConnection::open(&service).await;
    // `stop` waits less than the grace time.
    service.stop(&database).await;
}

#[tokio::test]
async fn second_signal_ends_the_service_at_once() {
    let database = Database::fresh();
    let service = start(&database).await;
    let mut socket = service.socket().await;
    let lock = database.hold_write_lock().await;
    let _connection = begin_delivery(&service).await;
    service.terminate().await;
    assert_eq!(socket.message().await, Message::Closed(Some(1001)));
    service.signal("INT").await;
    assert_eq!(service.wait().await.code(), Some(128 + 2));
    lock.rollback().await.unwrap();
    database.assert_consistent().await;
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_stop() {
    let service = Service::open().await;
    let mut socket = service.socket().await;
    let _idle = TcpStream::connect(service.authority()).await.unwrap();
    service.stop().await;
    assert_eq!(socket.message().await, Message::Closed(Some(1001)));
}
