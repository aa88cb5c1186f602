//! A client that does not receive its answers.

use super::{closed, start};
use crate::harness::{Database, RawConnection, TIMEOUT, eventually};

#[tokio::test]
async fn client_that_does_not_read_is_cut_off_after_the_write_time_out() {
    let database = Database::fresh();
    let service = start(&database, &[("IDLE_TIMEOUT_SECONDS", "600"), ("HEAD_TIMEOUT_SECONDS", "600")]).await;
    let mut connection = RawConnection::open_with_small_buffer(&service).await;
    let request = format!("GET /playground HTTP/1.1\r\nHost: {}\r\n\r\n", service.authority());
    // More answers than the buffers of the kernel hold.
    let requests = request.repeat(200);
    eventually("the connection is cut off", TIMEOUT * 3, async || {
        let _ = tokio::time::timeout(TIMEOUT / 100, connection.write_all(requests.as_bytes())).await;
        (closed(&service, "write_timeout").await == 1.0).then_some(())
    })
    .await;
    service.stop(&database).await;
}
