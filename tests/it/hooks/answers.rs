//! The answer of a hook URL to each kind of request, and whether the delivery is stored.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use simulator::signature::{HEADER, sign};

use crate::harness::{HttpResponse, ManualClock, RawConnection, Service, Setup, fixture};

const SECRET: &str = "whsec_one";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The number of stored deliveries, of any outcome.
async fn delivery_count(service: &Service) -> i64 {
    service.database().numbers("SELECT COUNT(*) FROM delivery").await[0]
}

#[tokio::test]
async fn delivery_recorded_is_200_with_its_outcome() {
    let service = Service::open().await;
    let project = fixture("arcsite/project_created.json");
    for (path, body, expected) in [
        ("arcsite", project.as_str(), json!({ "outcome": "ACCEPTED", "eventId": "event:1" })),
        ("arcsite", &project, json!({ "outcome": "REDELIVERY", "eventId": "event:1" })),
        ("bidsketch", "gibberish", json!({ "outcome": "QUARANTINED", "eventId": null })),
        ("arcsite", r#"{"event":"moon.risen","data":{}}"#, json!({ "outcome": "ACCEPTED", "eventId": "event:2" })),
    ] {
        let answer = service.post(&format!("/webhooks/{path}"), body).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{body}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert_eq!(delivery_count(&service).await, 4);
    service.stop().await;
}

/// Only the body's bytes count.
#[tokio::test]
async fn delivery_with_any_content_type_is_accepted() {
    let service = Service::open().await;
    for (id, content_type) in
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"].into_iter().enumerate()
    {
        let body = format!(r#"{{"event":"project.created","data":{{"id":{id}}}}}"#);
        let request = service.request(Method::POST, "/webhooks/arcsite").header("content-type", content_type);
        HttpResponse::of(request.body(body)).await.receipt().accepted();
    }
    service.stop().await;
}

#[tokio::test]
async fn signature_missing_wrong_or_malformed_is_401_and_nothing_is_stored() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&["whsec_zero", SECRET]).clock(&clock).start().await;
    let body = fixture("arcsite/project_created.json");
    let t = clock.unix();
    let valid = sign(SECRET, t, body.as_bytes());
    let value = valid.split_once(",v=").unwrap().1;
    let wrong_secret = sign("whsec_two", t, body.as_bytes());
    let for_other_body = sign(SECRET, t, b"{}");

    for headers in [
        &[][..],
        &[""],
        &["nonsense"],
        &["t=,v="],
        &[&format!("v={value}")],
        &[&format!("t={t}")],
        &[&format!("t={t},v=")],
        &[&format!("t={t},v={}", &value[..62])],
        &[&format!("t={t},v=zz{}", &value[2..])],
        &[&format!("t={},v={value}", t + 1)],
        &[&format!("t=+{t},v={value}")],
        &[&format!("t={t}.0,v={value}")],
        &[&format!("t={t},t={t},v={value}")],
        &[&format!("t={t},v={value},t={}", t + 1)],
        &[&format!("{valid},broken")],
        &[&wrong_secret],
        &[&for_other_body],
        // Two header lines form one list, so the time is in it twice.
        &[&valid, &valid],
        &[&wrong_secret, &valid],
    ] {
        let mut request = service.request(Method::POST, "/webhooks/arcsite");
        for header in headers {
            request = request.header(HEADER, *header);
        }
        let answer = HttpResponse::of(request.body(body.clone())).await;
        assert_eq!(
            (answer.status, answer.json()),
            (401, json!({ "error": "the signature is missing or wrong" })),
            "{headers:?}"
        );
    }
    // Bytes that are not text.
    let request = service.request(Method::POST, "/webhooks/arcsite").header(HEADER, &b"t=1,v=\xff"[..]);
    assert_eq!(HttpResponse::of(request.body(body.clone())).await.status, 401);
    assert_eq!(delivery_count(&service).await, 0);

    // Two header lines that form one valid list are accepted.
    let request = service.request(Method::POST, "/webhooks/arcsite");
    let request = request.header(HEADER, format!("t={t}")).header(HEADER, format!("v={},v={value}", "0".repeat(64)));
    let event = HttpResponse::of(request.body(body.clone())).await.receipt().accepted();
    service.post_signed("whsec_zero", t, body).await.receipt().redelivery_of(&event);
    service.stop().await;
}

#[tokio::test]
async fn signature_over_any_bytes_is_verified() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    for body in [&b"\xff\x00\xfe"[..], b"", b"{ }\r\n"] {
        service.post_signed(SECRET, clock.unix(), body).await.receipt().quarantined();
    }
    assert_eq!(delivery_count(&service).await, 3);
    service.stop().await;
}

/// A token for one vendor does not close the other vendor's hook. A hook with a token answers at no
/// other path.
#[tokio::test]
async fn hook_with_unknown_token_or_unconfigured_vendor_is_404() {
    let body = fixture("bidsketch/client_created.json");
    let no_such_hook = json!({ "error": "there is no such hook" });

    let service = Setup::new().bidsketch_token(TOKEN).arcsite_token(TOKEN).start().await;
    for path in [
        "/webhooks/bidsketch".to_owned(),
        "/webhooks/arcsite".to_owned(),
        format!("/webhooks/bidsketch/{}", &TOKEN[1..]),
        format!("/webhooks/bidsketch/{TOKEN}0"),
        format!("/webhooks/bidsketch/{}", TOKEN.to_uppercase()),
        "/webhooks/bidsketch/%FF".to_owned(),
        "/webhooks/arcsite/wrong".to_owned(),
    ] {
        let answer = service.post(&path, body.as_str()).await;
        assert!(answer.status == 404 || path.contains('%') && answer.status == 400, "{path}: {answer:?}");
        if answer.status == 404 {
            assert_eq!(answer.json(), no_such_hook, "{path}");
        }
    }
    assert_eq!(delivery_count(&service).await, 0);
    service.post(&format!("/webhooks/bidsketch/{TOKEN}"), body.as_str()).await.receipt().accepted();
    service
        .post(&format!("/webhooks/arcsite/{TOKEN}"), fixture("arcsite/project_created.json"))
        .await
        .receipt()
        .accepted();
    service.stop().await;

    // With signing secrets alone, no path with a token exists.
    let service = Setup::new().signing_secrets(&[SECRET]).start().await;
    for path in ["/webhooks/arcsite/x", "/webhooks/bidsketch/x"] {
        assert_eq!(service.post(path, body.as_str()).await.status, 404, "{path}");
    }
    service.post("/webhooks/bidsketch", body).await.receipt().accepted();
    service.stop().await;
}

/// Bidsketch deletes its webhook on a 410. It counts a redirect and a 2xx other than 200 as a
/// failure.
#[tokio::test]
async fn hook_with_another_method_is_405_and_unknown_path_is_404() {
    let service = Setup::new().bidsketch_token(TOKEN).start().await;
    for path in ["/webhooks/arcsite", "/webhooks/arcsite/x", "/webhooks/bidsketch", "/webhooks/bidsketch/x"] {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let answer = HttpResponse::of(service.request(method.clone(), path)).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method} {path}");
        }
    }
    for path in [
        "/webhooks",
        "/webhooks/",
        "/webhooks/arcsite//",
        "/webhooks/bidsketch/",
        "/webhooks/bidsketch/x/y",
        "/webhooks/hubspot",
        "/webhooks/../webhooks/x",
        "/WEBHOOKS/arcsite",
        "//webhooks/arcsite",
    ] {
        let answer = service.post(path, "{}").await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["error"].is_string(), "{path}: {answer:?}");
    }
    let metrics = service.get("/metrics").await.body;
    assert!(metrics.contains(r#"bidarc_refused_total{provider="unknown",reason="unknown_path"}"#), "{metrics}");
    service.stop().await;
}

#[tokio::test]
async fn hook_with_one_slash_at_its_end_is_the_same_hook() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).bidsketch_token(TOKEN).clock(&clock).start().await;
    let body = fixture("arcsite/project_created.json");
    let post = async |headers: &[(&str, String)]| {
        let request =
            headers.iter().fold(service.request(Method::POST, "/webhooks/arcsite/"), |request, (name, value)| {
                request.header(*name, value)
            });
        HttpResponse::of(request.body(body.clone())).await
    };
    assert_eq!(post(&[]).await.status, 401);
    post(&[(HEADER, sign(SECRET, clock.unix(), body.as_bytes()))]).await.receipt().accepted();
    let body = fixture("bidsketch/client_created.json");
    service.post(&format!("/webhooks/bidsketch/{TOKEN}/"), body).await.receipt().accepted();
    assert_eq!(HttpResponse::of(service.request(Method::GET, "/webhooks/arcsite/")).await.status, 405);
    service.stop().await;
}

const THREE_MEGABYTES: usize = 3 * 1024 * 1024;

#[tokio::test]
async fn body_over_the_limit_is_413_and_the_sender_gets_the_answer() {
    let service = Service::open().await;
    let host = service.authority();
    let content_length =
        format!("POST /webhooks/arcsite HTTP/1.1\r\nHost: {host}\r\nContent-Length: {THREE_MEGABYTES}\r\n\r\n");
    let chunked = format!("POST /webhooks/arcsite HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (head, chunk) in [(content_length, None), (chunked, Some("10000\r\n"))] {
        let mut connection = RawConnection::open(&service).await;
        connection.write(&head).await;
        let piece = vec![b' '; 0x10000];
        for index in 0..THREE_MEGABYTES / piece.len() {
            if index * piece.len() == THREE_MEGABYTES / 2 {
                // If the service answered and closed now, the sender, which is still writing, could
                // lose the answer.
                assert!(connection.is_silent_for(Duration::from_millis(200)).await, "the service reads on");
            }
            if let Some(size) = chunk {
                connection.write(size).await;
            }
            connection.write_all(&piece).await.expect("the service reads on");
            if chunk.is_some() {
                connection.write("\r\n").await;
            }
        }
        if chunk.is_some() {
            connection.write("0\r\n\r\n").await;
        }
        let answer = connection.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.ends_with(r#"{"error":"the body is larger than 1048576 bytes"}"#), "{answer}");
    }
    assert_eq!(delivery_count(&service).await, 0);

    // A body of exactly the limit is accepted and stored in full.
    let filler = 1024 * 1024 - r#"{"event":"x","data":{"a":""}}"#.len();
    for (excess, status) in [(0, 200), (1, 413)] {
        let body = format!(r#"{{"event":"x","data":{{"a":"{}"}}}}"#, "b".repeat(filler + excess));
        assert_eq!(service.post("/webhooks/arcsite", body).await.status, status);
    }
    assert_eq!(service.database().numbers("SELECT CAST(LENGTH(body) AS bigint) FROM event").await, [1024 * 1024]);
    service.stop().await;
}

#[tokio::test]
async fn body_cut_off_is_not_recorded() {
    let service = Service::open().await;
    let body = fixture("arcsite/project_created.json");
    let mut connection = RawConnection::begin_post(&service, "/webhooks/arcsite", body.len()).await;
    connection.write(&body[..body.len() - 2]).await;
    connection.shut_down().await;
    // The service has noticed the end once it answers or closes the connection.
    let answer = connection.read_to_end().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(delivery_count(&service).await, 0);
    service.post("/webhooks/arcsite", body).await.receipt().accepted();
    service.stop().await;
}

#[tokio::test]
async fn body_in_pieces_is_one_delivery() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let body = fixture("arcsite/project_created.json");
    let mut connection = RawConnection::begin_post(&service, "/webhooks/arcsite", body.len()).await;
    for piece in body.as_bytes().chunks(40) {
        connection.write_all(piece).await.unwrap();
    }
    assert!(connection.read_until("event:1").await.starts_with("HTTP/1.1 200 "));
    clock.advance(TimeDelta::seconds(1));
    service.post("/webhooks/arcsite", body).await.receipt().redelivery_of("event:1");
    service.stop().await;
}
