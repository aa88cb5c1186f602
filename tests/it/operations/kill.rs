//! The service is killed under load. Every acknowledged delivery is in the log once.

use crate::harness::{Database, Process, Traffic, reserved_port};

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_delivery_survives_every_kill_exactly_once() {
    let database = Database::fresh();
    let port = reserved_port().await;
    let mut service = Process::start(port, &database).await;
    let traffic = Traffic::start([service.base()]);
    for _ in 0..4 {
        traffic.wait_for_acknowledged(500).await;
        service.kill().await;
        traffic.wait_for_retries().await;
        service = Process::start(port, &database).await;
    }
    traffic.finish(&[&service]).await;
    service.stop(&database).await;
}
