//! Bodies as HTTP carries them: content codings, charsets, byte order marks, headers.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use simulator::signature;

use crate::harness::{HttpResponse, ManualClock, Service, Setup, envelope};

const SECRET: &str = "whsec_one";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}

async fn post(service: &Service, body: &[u8], headers: &[(&str, &str)]) -> HttpResponse {
    let request = service.request(Method::POST, "/webhooks/arcsite").body(body.to_vec());
    HttpResponse::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

const DELIVERY: &str = "id outcome quarantineReason detail vendorType body bodyBase64 sizeBytes headers { name value }";

async fn deliveries(service: &Service, event: &str) -> Vec<Value> {
    let query = format!(r#"{{ node(id: "{event}") {{ ... on Event {{ deliveries {{ {DELIVERY} }} }} }} }}"#);
    service.query(&query).await["node"]["deliveries"].as_array().unwrap().clone()
}

/// The quarantined deliveries, oldest first.
async fn quarantined(service: &Service) -> Vec<Value> {
    let query = format!("{{ quarantinedDeliveries(first: 100) {{ nodes {{ {DELIVERY} }} }} }}");
    let mut nodes = service.query(&query).await["quarantinedDeliveries"]["nodes"].as_array().unwrap().clone();
    nodes.reverse();
    nodes
}

async fn release(service: &Service, id: &str) -> Value {
    let mutation = format!(
        r#"mutation {{ releaseQuarantinedDelivery(input: {{ id: "{id}" }}) {{ event {{ id }} delivery {{ {DELIVERY} }} userErrors {{ code message }} }} }}"#
    );
    service.query(&mutation).await["releaseQuarantinedDelivery"].take()
}

async fn project_name(service: &Service, id: usize) -> Value {
    service.query(&format!(r#"{{ project(vendorId: "{id}") {{ name }} }}"#)).await["project"]["name"].take()
}

#[track_caller]
fn assert_sent(delivery: &Value, body: &[u8]) {
    assert_eq!(STANDARD.decode(delivery["bodyBase64"].as_str().unwrap()).unwrap(), body, "{delivery}");
    assert_eq!(delivery["sizeBytes"], body.len(), "{delivery}");
}

fn project(id: usize) -> String {
    envelope("project.created", &format!(r#"{{"id":{id},"name":"Küche für Zoë"}}"#))
}

#[tokio::test]
async fn encoded_body_becomes_an_event_and_its_bytes_are_kept() {
    let service = Service::open().await;
    let with_mark = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
    let json = ("content-type", "application/json");
    let typed = |content_type: &'static str| vec![("content-type", content_type)];
    let coded = |coding: &'static str| vec![json, ("content-encoding", coding)];
    let little = |text: &str| utf16(text, u16::to_le_bytes);
    let big = |text: &str| utf16(text, u16::to_be_bytes);
    type Encode<'a> = Box<dyn Fn(&str) -> Vec<u8> + Send + 'a>;
    let forms: Vec<(Encode<'_>, Vec<(&str, &str)>)> = vec![
        (Box::new(|text| gzip(text.as_bytes())), coded("gzip")),
        (Box::new(|text| gzip(text.as_bytes())), coded("X-GZIP")),
        (Box::new(|text| gzip(text.as_bytes())), coded("identity, gzip")),
        (Box::new(|text| zlib(text.as_bytes())), coded("deflate")),
        (Box::new(|text| raw_deflate(text.as_bytes())), coded("deflate")),
        (Box::new(|text| text.as_bytes().to_vec()), coded("identity")),
        (Box::new(|text| with_mark(b"\xef\xbb\xbf", text.as_bytes().to_vec())), vec![json]),
        (Box::new(latin1), typed("application/json; charset=iso-8859-1")),
        (Box::new(latin1), typed("application/json;charset=\"Windows-1252\"")),
        (Box::new(|text| with_mark(b"\xff\xfe", little(text))), typed("application/json; charset=utf-16")),
        (Box::new(|text| with_mark(b"\xfe\xff", big(text))), vec![json]),
        (Box::new(big), typed("application/json; charset=utf-16be")),
        (Box::new(|text| gzip(&latin1(text))), [typed("a/b; charset=latin1"), coded("gzip")[1..].to_vec()].concat()),
    ];
    for (index, (encode, headers)) in forms.iter().enumerate() {
        let (id, text) = (index + 1, project(index + 1));
        let sent = encode(&text);
        let event = post(&service, &sent, headers).await.receipt().accepted();
        assert_eq!(project_name(&service, id).await, "Küche für Zoë", "{headers:?}");
        // The plain form is the same event.
        post(&service, text.as_bytes(), &[]).await.receipt().redelivery_of(&event);
        post(&service, &sent, headers).await.receipt().redelivery_of(&event);
        let deliveries = deliveries(&service, &event).await;
        for (delivery, sent) in deliveries.iter().zip([&sent, text.as_bytes(), &sent]) {
            assert_sent(delivery, sent);
            assert_eq!((&delivery["body"], &delivery["detail"]), (&json!(text), &Value::Null), "{headers:?}");
        }
        let answer =
            service.graphql(&format!(r#"{{ node(id: "{event}") {{ ... on Event {{ payload }} }} }}"#), json!({})).await;
        assert!(answer.body.contains(&format!(r#""payload":{{"id":{id},"name":"Küche für Zoë"}}"#)), "{}", answer.body);
    }
    service.stop().await;
}

/// The signature covers the bytes as they are sent.
#[tokio::test]
async fn signature_of_an_encoded_body_is_over_the_bytes_as_sent() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let (text, t) = (project(1), clock.unix());
    let packed = gzip(text.as_bytes());
    let signed = |bytes: &[u8]| signature::sign(SECRET, t, bytes);
    let over_the_text = [("content-encoding", "gzip"), (signature::HEADER, &signed(text.as_bytes()))];
    assert_eq!(post(&service, &packed, &over_the_text).await.status, 401);
    let over_the_bytes = [("content-encoding", "gzip"), (signature::HEADER, &signed(&packed))];
    post(&service, &packed, &over_the_bytes).await.receipt().accepted();
    // The proof comes before decoding: a body that cannot be read is refused without one.
    assert_eq!(post(&service, b"not gzip", &[("content-encoding", "gzip")]).await.status, 401);
    service.stop().await;
}

#[tokio::test]
async fn body_that_cannot_be_decoded_is_quarantined_with_its_encoding() {
    let service = Service::open().await;
    let text = project(1);
    let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
    let bodies: Vec<(Vec<u8>, (&str, &str), &str)> = vec![
        (b"\x0b\x02\x80{}\x03".to_vec(), ("content-encoding", "br"), "br"),
        (b"\x28\xb5\x2f\xfd".to_vec(), ("content-encoding", "zstd"), "zstd"),
        (gzip(&gzip(text.as_bytes())), ("content-encoding", "gzip, gzip"), "gzip, gzip"),
        (text.as_bytes().to_vec(), ("content-encoding", "gzip"), "gzip"),
        (gzip(text.as_bytes())[..30].to_vec(), ("content-encoding", "gzip"), "gzip"),
        (zlib(text.as_bytes())[..20].to_vec(), ("content-encoding", "deflate"), "deflate"),
        (bomb, ("content-encoding", "gzip"), "1048576"),
        (raw_deflate(&vec![b' '; 1024 * 1024 + 1]), ("content-encoding", "deflate"), "1048576"),
        (text.as_bytes().to_vec(), ("content-type", "application/json; charset=klingon"), "klingon"),
        (text.as_bytes().to_vec(), ("content-type", "application/json; charset=utf-32"), "utf-32"),
        (b"\xff\xfe{\0\x00\xd8}\0".to_vec(), ("content-type", "application/json"), "UTF-16"),
        (latin1(&text), ("content-type", "application/json"), "UTF-8"),
        (latin1(&text), ("content-type", "application/json; charset=utf-8"), "UTF-8"),
    ];
    for (body, header, _) in &bodies {
        post(&service, body, &[*header]).await.receipt().quarantined();
    }
    let quarantined = quarantined(&service).await;
    assert_eq!(quarantined.len(), bodies.len());
    for ((body, (name, value), named), delivery) in bodies.iter().zip(&quarantined) {
        assert_sent(delivery, body);
        assert_eq!(delivery["quarantineReason"], "NOT_JSON");
        assert!(delivery["detail"].as_str().unwrap().contains(named), "{named}: {}", delivery["detail"]);
        assert!(delivery["headers"].as_array().unwrap().contains(&json!({ "name": name, "value": value })));
        let released = release(&service, delivery["id"].as_str().unwrap()).await;
        assert_eq!(released["userErrors"][0]["code"], "STILL_INVALID", "{released}");
    }
    assert_eq!(service.event_count().await, 0);
    service.stop().await;
}

/// The body may be exactly as large as the limit after decoding.
#[tokio::test]
async fn decoded_body_of_the_largest_size_is_accepted() {
    let service = Service::open().await;
    let text = project(1);
    let padded = format!("{text}{}", " ".repeat(1024 * 1024 - text.len()));
    let event = post(&service, &gzip(padded.as_bytes()), &[("content-encoding", "gzip")]).await.receipt().accepted();
    post(&service, padded.as_bytes(), &[]).await.receipt().redelivery_of(&event);
    service.stop().await;
}

/// The encoding was kept with the delivery.
#[tokio::test]
async fn released_delivery_is_decoded() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&[SECRET]).clock(&clock).start().await;
    let stale = clock.unix() - 73 * 3600;
    let bodies = [
        (gzip(project(1).as_bytes()), ("content-encoding", "gzip")),
        (zlib(project(2).as_bytes()), ("content-encoding", "deflate")),
        (latin1(&project(3)), ("content-type", "application/json; charset=iso-8859-1")),
        ([b"\xef\xbb\xbf", project(4).as_bytes()].concat(), ("content-type", "application/json")),
    ];
    for (body, header) in &bodies {
        let signature = signature::sign(SECRET, stale, body);
        post(&service, body, &[*header, (signature::HEADER, &signature)]).await.receipt().quarantined();
    }
    for (index, ((body, _), delivery)) in bodies.iter().zip(quarantined(&service).await).enumerate() {
        assert_eq!(
            (&delivery["quarantineReason"], &delivery["vendorType"]),
            (&json!("STALE_SIGNATURE"), &json!("project.created"))
        );
        let released = release(&service, delivery["id"].as_str().unwrap()).await;
        assert_eq!(released["userErrors"], json!([]), "{released}");
        assert_eq!(released["delivery"]["outcome"], "ACCEPTED");
        assert_sent(&released["delivery"], body);
        assert_eq!(project_name(&service, index + 1).await, "Küche für Zoë");
    }
    service.stop().await;
}

/// A version that stores no headers wrote these rows, and it runs beside this one for a while.
#[tokio::test]
async fn delivery_of_an_earlier_version_is_read_and_released() {
    let service = Service::open().await;
    let event = post(&service, project(1).as_bytes(), &[]).await.receipt().accepted();
    let connection = service.database().connect().await;
    let blob =
        |bytes: &[u8]| service.database().by_dialect("X'{}'", "'\\x{}'::bytea").replace("{}", &hex::encode(bytes));
    let (packed, marked) = (gzip(project(2).as_bytes()), [b"\xef\xbb\xbf", project(3).as_bytes()].concat());
    for (id, outcome, reason, body, seq) in [
        (2, "REDELIVERY", "NULL", "NULL".to_owned(), "1"),
        (3, "QUARANTINED", "'NOT_JSON'", blob(&packed), "NULL"),
        (4, "QUARANTINED", "'NOT_JSON'", blob(&marked), "NULL"),
    ] {
        let insert = format!(
            "INSERT INTO delivery (id, provider, vendor_type, received_at, signed_at, outcome, quarantine_reason, detail, body, \
             event_seq) VALUES ({id}, 'ARCSITE', NULL, 1, NULL, '{outcome}', {reason}, NULL, {body}, {seq})"
        );
        connection.execute_unprepared(&insert).await.unwrap_or_else(|error| panic!("{insert}: {error}"));
    }
    connection.close().await.unwrap();
    let deliveries = deliveries(&service, &event).await;
    assert_sent(&deliveries[1], project(1).as_bytes());
    assert_eq!((&deliveries[1]["headers"], &deliveries[1]["body"]), (&json!([]), &json!(project(1))));
    let list = quarantined(&service).await;
    assert_sent(&list[0], &packed);
    assert_sent(&list[1], &marked);
    for (id, delivery) in [(2, "delivery:3"), (3, "delivery:4")] {
        assert_eq!(release(&service, delivery).await["userErrors"], json!([]));
        assert_eq!(project_name(&service, id).await, "Küche für Zoë");
    }
    service.stop().await;
}

#[tokio::test]
async fn delivery_keeps_the_headers_that_matter() {
    let service = Service::open().await;
    let sent = [
        ("content-type", "application/json"),
        ("user-agent", "ArcSite-Hookshot/1.2"),
        ("x-arcsite-delivery", "42"),
        ("x-request-id", "abc"),
    ];
    let others = [("authorization", "Bearer secret"), ("x-origin-verify", "secret")];
    let headers = [&sent[..], &others].concat();
    let event = post(&service, project(1).as_bytes(), &headers).await.receipt().accepted();
    let kept = deliveries(&service, &event).await[0]["headers"].take();
    let kept = kept.as_array().unwrap();
    assert_eq!(kept.len(), sent.len(), "{kept:?}");
    for (name, value) in sent {
        assert!(kept.contains(&json!({ "name": name, "value": value })), "{name}: {kept:?}");
    }
    service.stop().await;
}
