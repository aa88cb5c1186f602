//! Bodies that do not come, and the budget of all bodies.

use simulator::signature::{HEADER, sign};

use super::start;
use crate::harness::{Database, Launch, Process, RawConnection, TIMEOUT, eventually, fixture};

/// The smallest budget.
const BUDGET: usize = 1024 * 1024;

#[tokio::test]
async fn body_that_is_not_whole_in_time_is_408() {
    let database = Database::fresh();
    let service = start(&database, &[]).await;
    let mut half = RawConnection::begin_post(&service, "/webhooks/arcsite", 1000).await;
    half.write("{").await;
    let answer = half.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(service.metric("bidarc_body_bytes").await, 0.0);
    service.stop(&database).await;
}

/// The client sends its body only when the service asks for it.
#[tokio::test]
async fn body_is_not_read_before_its_path_and_signature_header_are_judged() {
    let database = Database::fresh();
    let launch = Launch::new(database.directory()).env("BIDARC_ARCSITE__SIGNING_SECRETS", "s");
    let service = launch.env("BIDARC_BIDSKETCH__PATH_TOKEN", "0123456789abcdef").serve(0, &database).await;
    let well_formed = sign("another", 1, b"");
    for (path, signature, status) in [
        ("arcsite", None, "401"),
        ("arcsite", Some("nonsense"), "401"),
        ("arcsite", Some("t=1,v=00"), "401"),
        ("arcsite", Some("t=1,t=2,v=00"), "401"),
        ("arcsite", Some(well_formed.as_str()), "100"),
        ("arcsite/token", None, "404"),
        ("bidsketch", None, "404"),
        ("bidsketch/wrong", None, "404"),
        (&format!("bidsketch/{}", "0".repeat(64)), None, "404"),
        ("bidsketch/0123456789abcdef", None, "100"),
    ] {
        let mut connection = RawConnection::open(&service).await;
        let signature = signature.map_or_else(String::new, |value| format!("{HEADER}: {value}\r\n"));
        connection
            .write(&format!(
                "POST /webhooks/{path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n{signature}\r\n",
                service.authority()
            ))
            .await;
        let answer = connection.read_until("\r\n\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {signature}: {answer}");
    }
    service.stop(&database).await;
}

/// Begins a delivery of the largest size, and sends these many bytes of it.
async fn hold(service: &Process, bytes: usize) -> RawConnection {
    let mut connection = RawConnection::begin_post(service, "/webhooks/arcsite", BUDGET).await;
    connection.write_all(&vec![b' '; bytes]).await.unwrap();
    connection
}

async fn wait_for_held(service: &Process, bytes: u32) {
    let is_held = async || (service.metric("bidarc_body_bytes").await == f64::from(bytes)).then_some(());
    eventually(&format!("{bytes} bytes are held"), TIMEOUT, is_held).await;
}

#[tokio::test]
async fn body_beyond_the_budget_is_503_unless_a_larger_one_gives_way() {
    let database = Database::fresh();
    let settings = [("BODY_BUDGET_BYTES", &*BUDGET.to_string()), ("BODY_TIMEOUT_SECONDS", "600")];
    let service = start(&database, &settings).await;
    let first = hold(&service, 400_000).await;
    wait_for_held(&service, 400_000).await;
    let mut larger = hold(&service, 700_000).await;
    let answer = larger.read_until("try again").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.to_lowercase().contains("retry-after: 5"), "{answer}");
    // Small deliveries still fit, and other requests have a budget of their own.
    service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
    let query = format!("{{ events(first: 1) {{ totalCount }} }}{}", " ".repeat(120 * 1024));
    assert_eq!(service.query(&query).await["events"]["totalCount"], 1);
    drop(first);
    wait_for_held(&service, 0).await;

    let mut first = hold(&service, 800_000).await;
    wait_for_held(&service, 800_000).await;
    service.post("/webhooks/bidsketch", vec![b' '; 500_000]).await.receipt().quarantined();
    assert_eq!(first.read_to_end().await, "", "the larger one is closed");
    wait_for_held(&service, 0).await;
    service.post("/webhooks/arcsite", vec![b' '; BUDGET]).await.receipt().quarantined();

    // What a closed one gives back is given once.
    let mut first = hold(&service, 800_000).await;
    wait_for_held(&service, 800_000).await;
    let mut second = hold(&service, 500_000).await;
    assert_eq!(first.read_to_end().await, "");
    wait_for_held(&service, 500_000).await;
    let mut third = hold(&service, 700_000).await;
    // The budget has no room for both. As long as the third is the smaller one, it may take the
    // place of the second.
    tokio::select! {
        answer = third.read_until("try again") => assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}"),
        answer = second.read_to_end() => assert_eq!(answer, ""),
    }
    service.stop(&database).await;
}

/// Who fills the budget and opens small bodies then takes no more than these hold.
#[tokio::test]
async fn small_body_that_takes_the_place_of_a_large_one_leaves_the_rest_of_it() {
    let database = Database::fresh();
    let settings = [("BODY_BUDGET_BYTES", &*BUDGET.to_string()), ("BODY_TIMEOUT_SECONDS", "600")];
    let service = start(&database, &settings).await;
    let mut large = hold(&service, 500_000).await;
    wait_for_held(&service, 500_000).await;
    let _others = [hold(&service, 300_000).await, hold(&service, 248_000).await];
    wait_for_held(&service, 1_048_000).await;
    let _first = hold(&service, 1000).await;
    assert_eq!(large.read_to_end().await, "", "the largest is closed");
    wait_for_held(&service, 549_000).await;
    let _second = hold(&service, 1000).await;
    wait_for_held(&service, 550_000).await;
    let delivery = || service.post("/webhooks/bidsketch", vec![b' '; 490_000]);
    delivery().await.receipt().quarantined();
    wait_for_held(&service, 550_000).await;
    // Closed once, given out once: there is no room for more.
    let mut larger = hold(&service, 600_000).await;
    let answer = larger.read_until("try again").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    service.stop(&database).await;
}
