//! What a hook URL answers, row by row, and what is kept of each.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use simulator::signature::{HEADER, sign};

use crate::harness::{Answer, ManualClock, Service, Setup, Wire, fixture};

const SECRET: &str = "whsec_one";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// How many deliveries are kept, in whatever form.
async fn kept(service: &Service) -> i64 {
    service.database().numbers("SELECT COUNT(*) FROM delivery").await[0]
}

#[tokio::test]
async fn what_is_recorded_is_200_and_says_what_became_of_it() {
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
    assert_eq!(kept(&service).await, 4);
    service.stop().await;
}

/// Neither the type of the body nor its name matters: only its bytes do.
#[tokio::test]
async fn the_content_type_is_not_asked_for() {
    let service = Service::open().await;
    for (at, content_type) in
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"].into_iter().enumerate()
    {
        let body = format!(r#"{{"event":"project.created","data":{{"id":{at}}}}}"#);
        let request = service.request(Method::POST, "/webhooks/arcsite").header("content-type", content_type);
        Answer::of(request.body(body)).await.receipt().accepted();
    }
    service.stop().await;
}

#[tokio::test]
async fn a_signature_that_is_missing_wrong_or_malformed_is_401_and_nothing_is_kept() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&["whsec_zero", SECRET]).clock(&clock).start().await;
    let body = fixture("arcsite/project_created.json");
    let t = clock.unix();
    let right = sign(SECRET, t, body.as_bytes());
    let value = right.split_once(",v=").unwrap().1;
    let other = sign("whsec_two", t, body.as_bytes());
    let of_other_body = sign(SECRET, t, b"{}");

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
        &[&format!("{right},broken")],
        &[&other],
        &[&of_other_body],
        // A header that comes twice is one list: its time is repeated.
        &[&right, &right],
        &[&other, &right],
    ] {
        let mut request = service.request(Method::POST, "/webhooks/arcsite");
        for header in headers {
            request = request.header(HEADER, *header);
        }
        let answer = Answer::of(request.body(body.clone())).await;
        assert_eq!(
            (answer.status, answer.json()),
            (401, json!({ "error": "the signature is missing or wrong" })),
            "{headers:?}"
        );
    }
    // Not in a form that text has.
    let request = service.request(Method::POST, "/webhooks/arcsite").header(HEADER, &b"t=1,v=\xff"[..]);
    assert_eq!(Answer::of(request.body(body.clone())).await.status, 401);
    assert_eq!(kept(&service).await, 0);

    // The same body, the same time, and the right signature: two header lines that make one list are one.
    let request = service.request(Method::POST, "/webhooks/arcsite");
    let request = request.header(HEADER, format!("t={t}")).header(HEADER, format!("v={},v={value}", "0".repeat(64)));
    let event = Answer::of(request.body(body.clone())).await.receipt().accepted();
    service.post_signed("whsec_zero", t, body).await.receipt().repeats(&event);
    service.stop().await;
}

#[tokio::test]
async fn what_is_signed_is_bytes() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    for body in [&b"\xff\x00\xfe"[..], b"", b"{ }\r\n"] {
        service.post_signed(SECRET, clock.unix(), body).await.receipt().quarantined();
    }
    assert_eq!(kept(&service).await, 3);
    service.stop().await;
}

/// Whoever closes one vendor has not closed the other, and a vendor with a token has no other door.
#[tokio::test]
async fn an_unknown_token_and_a_vendor_that_is_not_configured_are_404() {
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
    assert_eq!(kept(&service).await, 0);
    service.post(&format!("/webhooks/bidsketch/{TOKEN}"), body.as_str()).await.receipt().accepted();
    service
        .post(&format!("/webhooks/arcsite/{TOKEN}"), fixture("arcsite/project_created.json"))
        .await
        .receipt()
        .accepted();
    service.stop().await;

    // Secrets for signatures alone: there is no token that could be known.
    let service = Setup::new().signing_secrets(&[SECRET]).start().await;
    for path in ["/webhooks/arcsite/x", "/webhooks/bidsketch/x"] {
        assert_eq!(service.post(path, body.as_str()).await.status, 404, "{path}");
    }
    service.post("/webhooks/bidsketch", body).await.receipt().accepted();
    service.stop().await;
}

/// To Bidsketch 410 means "delete the webhook", and a redirect or another 2xx is a failure to it.
#[tokio::test]
async fn nothing_but_post_is_allowed_and_nothing_is_gone_or_elsewhere() {
    let service = Setup::new().bidsketch_token(TOKEN).start().await;
    for path in ["/webhooks/arcsite", "/webhooks/arcsite/x", "/webhooks/bidsketch", "/webhooks/bidsketch/x"] {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let answer = Answer::of(service.request(method.clone(), path)).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method} {path}");
        }
    }
    for path in [
        "/webhooks",
        "/webhooks/",
        "/webhooks/arcsite/",
        "/webhooks/bidsketch/",
        "/webhooks/bidsketch/x/y",
        "/webhooks/hubspot",
        "/WEBHOOKS/arcsite",
        "//webhooks/arcsite",
    ] {
        let answer = service.post(path, "{}").await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["error"].is_string(), "{path}: {answer:?}");
    }
    service.stop().await;
}

const THREE_MEGABYTES: usize = 3 * 1024 * 1024;

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_its_sender_sees_so() {
    let service = Service::open().await;
    let host = service.authority();
    let content_length =
        format!("POST /webhooks/arcsite HTTP/1.1\r\nHost: {host}\r\nContent-Length: {THREE_MEGABYTES}\r\n\r\n");
    let chunked = format!("POST /webhooks/arcsite HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (head, chunk) in [(content_length, None), (chunked, Some("10000\r\n"))] {
        let mut wire = Wire::open(&service).await;
        wire.write(&head).await;
        let piece = vec![b' '; 0x10000];
        for at in 0..THREE_MEGABYTES / piece.len() {
            if at * piece.len() == THREE_MEGABYTES / 2 {
                // A service that answered now and hung up would have its answer lost with what is still to be written.
                assert!(wire.is_silent_for(Duration::from_millis(200)).await, "the service reads on");
            }
            if let Some(size) = chunk {
                wire.write(size).await;
            }
            wire.write_all(&piece).await.expect("the service reads on");
            if chunk.is_some() {
                wire.write("\r\n").await;
            }
        }
        if chunk.is_some() {
            wire.write("0\r\n\r\n").await;
        }
        let answer = wire.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.ends_with(r#"{"error":"the body is larger than 1048576 bytes"}"#), "{answer}");
    }
    assert_eq!(kept(&service).await, 0);

    // To the last byte of the limit it is taken, and kept whole.
    let filler = 1024 * 1024 - r#"{"event":"x","data":{"a":""}}"#.len();
    for (more, status) in [(0, 200), (1, 413)] {
        let body = format!(r#"{{"event":"x","data":{{"a":"{}"}}}}"#, "b".repeat(filler + more));
        assert_eq!(service.post("/webhooks/arcsite", body).await.status, status);
    }
    assert_eq!(service.database().numbers("SELECT CAST(LENGTH(body) AS bigint) FROM event").await, [1024 * 1024]);
    service.stop().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_records_nothing() {
    let service = Service::open().await;
    let body = fixture("arcsite/project_created.json");
    let mut wire = Wire::begin_post(&service, "/webhooks/arcsite", body.len()).await;
    wire.write(&body[..body.len() - 2]).await;
    wire.end().await;
    // The service has seen the end once it says so, or hangs up.
    let answer = wire.read_to_end().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(kept(&service).await, 0);
    service.post("/webhooks/arcsite", body).await.receipt().accepted();
    service.stop().await;
}

/// A delivery that comes in pieces is one delivery.
#[tokio::test]
async fn a_body_in_pieces_is_taken_whole() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    let body = fixture("arcsite/project_created.json");
    let mut wire = Wire::begin_post(&service, "/webhooks/arcsite", body.len()).await;
    for piece in body.as_bytes().chunks(40) {
        wire.write_all(piece).await.unwrap();
    }
    assert!(wire.read_until("event:1").await.starts_with("HTTP/1.1 200 "));
    clock.advance(TimeDelta::seconds(1));
    service.post("/webhooks/arcsite", body).await.receipt().repeats("event:1");
    service.stop().await;
}
