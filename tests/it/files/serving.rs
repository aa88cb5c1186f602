//! Files over HTTP: signed URLs, ranges, and what a browser is told.

use chrono::TimeDelta;
use image::{ImageFormat, RgbImage};
use reqwest::Method;
use serde_json::Value;

use super::{FILE, File, insert, setup, store_of, write};
use crate::harness::{ManualClock, Service};

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn send(service: &Service, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = service.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

async fn get(service: &Service, path: &str) -> Answer {
    send(service, Method::GET, path, &[]).await
}

/// A PDF, a PNG and something that is no PNG, of one event of drawing 2.
async fn sample_service(clock: &ManualClock) -> (Service, Vec<u8>) {
    let service = setup().clock(clock).start().await;
    service.arcsite("drawing.created", r#"{"id":2,"project_id":9}"#).await.accepted();
    let store = store_of(&service);
    let pdf: Vec<u8> = b"%PDF-1.7 ".iter().copied().cycle().take(300_000).collect();
    let mut png = std::io::Cursor::new(Vec::new());
    RgbImage::from_pixel(1200, 600, image::Rgb([40, 90, 40])).write_to(&mut png, ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let digests = (write(&store, &pdf).await, write(&store, &png).await, write(&store, b"\x89PNG broken").await);
    let drawing = File { name: Some("Zaun (\u{fc}ber 3 m)"), content: Some((digests.0, pdf.len())), ..FILE };
    let picture = File { id: 2, kind: "PNG", content: Some((digests.1, png.len())), ..FILE };
    let broken = File { id: 3, kind: "PNG", content: Some((digests.2, 10)), ..FILE };
    insert(service.database(), &[drawing, picture, broken]).await;
    (service, pdf)
}

async fn urls(service: &Service) -> Value {
    let query = r#"{ nodes(ids: ["file:1", "file:2", "file:3"]) { ... on StoredFile { url thumbnailUrl } } }"#;
    service.query(query).await["nodes"].take()
}

fn url<'a>(urls: &'a Value, index: usize, field: &str) -> &'a str {
    urls[index][field].as_str().unwrap()
}

#[tokio::test]
async fn stored_file_is_served_whole_in_part_and_from_the_cache() {
    let (service, pdf) = sample_service(&ManualClock::new()).await;
    let urls = urls(&service).await;
    let pdf_url = url(&urls, 0, "url");
    let whole = get(&service, pdf_url).await;
    assert_eq!((whole.status, whole.body == pdf), (200, true));
    for (name, value) in [
        ("content-type", "application/pdf"),
        ("content-length", "300000"),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("cache-control", "private, max-age=7200, immutable"),
        (
            "content-disposition",
            "attachment; filename=\"Zaun (_ber 3 m).pdf\"; filename*=UTF-8''Zaun%20%28%C3%BCber%203%20m%29.pdf",
        ),
    ] {
        assert_eq!(whole.header(name), value);
    }
    assert!(whole.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
    let etag = whole.header("etag").to_owned();

    let head = send(&service, Method::HEAD, pdf_url, &[]).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "300000", 0));
    let part = send(&service, Method::GET, pdf_url, &[("range", "bytes=100-199")]).await;
    assert_eq!((part.status, part.body == pdf[100..200]), (206, true));
    assert_eq!(part.header("content-range"), "bytes 100-199/300000");
    let end = send(&service, Method::GET, pdf_url, &[("range", "bytes=-10"), ("if-range", &etag)]).await;
    assert_eq!((end.status, end.body == pdf[299_990..]), (206, true));
    for headers in [&[("range", "bytes=0-9"), ("if-range", "\"other\"")][..], &[("range", "bytes=0-1,5-9")]] {
        let answer = send(&service, Method::GET, pdf_url, headers).await;
        assert_eq!((answer.status, answer.body.len()), (200, 300_000), "{headers:?}");
    }
    let beyond = send(&service, Method::GET, pdf_url, &[("range", "bytes=300000-")]).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */300000"));
    let cached = send(&service, Method::GET, pdf_url, &[("if-none-match", &etag)]).await;
    assert_eq!((cached.status, cached.body.len(), cached.header("etag")), (304, 0, etag.as_str()));
    assert_eq!(send(&service, Method::POST, pdf_url, &[]).await.status, 405);

    let png = get(&service, url(&urls, 1, "url")).await;
    assert_eq!((png.status, png.header("content-type")), (200, "image/png"));
    assert!(png.header("content-disposition").starts_with("inline; "));
    service.stop().await;
}

#[tokio::test]
async fn url_forged_or_expired_is_refused() {
    let clock = ManualClock::new();
    let (service, _) = sample_service(&clock).await;
    let before = urls(&service).await;
    let pdf_url = url(&before, 0, "url").to_owned();
    let png_url = url(&before, 1, "url");
    let other_digest = png_url.split("digest=").nth(1).unwrap()[..64].to_owned();
    let digest = pdf_url.split("digest=").nth(1).unwrap()[..64].to_owned();
    let expires = pdf_url.split("expires=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let later = (expires.parse::<i64>().unwrap() + 3600).to_string();
    for forged in [
        pdf_url.replace("/files/1/", "/files/2/"),
        pdf_url.replace("/files/1/", "/files/01/"),
        pdf_url.replace(&digest, &other_digest),
        pdf_url.replace(&expires, &later),
        pdf_url.replace("signature=", "signature=00"),
        pdf_url.replace(".pdf?", ".exe?"),
        pdf_url.replace("m%29.pdf?", "n%29.pdf?"),
        pdf_url.split('?').next().unwrap().to_owned(),
        format!("{pdf_url}&expires={later}"),
        url(&before, 1, "thumbnailUrl").replace("/thumbnail?", "/drawing-2.png?"),
        "/files/1/thumbnail?digest=x&expires=y&signature=z".to_owned(),
    ] {
        assert_eq!(get(&service, &forged).await.status, 403, "{forged}");
    }
    // Within the hour the URL stays the same, so that a browser finds the file in its cache.
    clock.advance(TimeDelta::minutes(59));
    assert_eq!(urls(&service).await, before);
    clock.advance(TimeDelta::minutes(2));
    assert_ne!(urls(&service).await, before);
    assert_eq!(get(&service, &pdf_url).await.status, 200);
    clock.advance(TimeDelta::minutes(59));
    let expired = get(&service, &pdf_url).await;
    assert_eq!(expired.status, 403);
    assert!(String::from_utf8(expired.body).unwrap().contains("expired"));
    service.stop().await;
}

#[tokio::test]
async fn file_gone_from_the_store_is_not_found() {
    let (service, pdf) = sample_service(&ManualClock::new()).await;
    let urls = urls(&service).await;
    let store = store_of(&service);
    store.delete(&super::digest_of(&pdf)).await.unwrap();
    assert_eq!(get(&service, url(&urls, 0, "url")).await.status, 404);
    service.stop().await;
}

#[tokio::test]
async fn thumbnail_is_small_and_a_broken_picture_has_none() {
    let (service, _) = sample_service(&ManualClock::new()).await;
    let urls = urls(&service).await;
    assert_eq!(urls[0]["thumbnailUrl"], Value::Null);
    for _ in 0..2 {
        let thumbnail = get(&service, url(&urls, 1, "thumbnailUrl")).await;
        assert_eq!((thumbnail.status, thumbnail.header("content-type")), (200, "image/png"));
        let picture = image::load_from_memory_with_format(&thumbnail.body, ImageFormat::Png).unwrap();
        assert_eq!((picture.width(), picture.height()), (480, 240));
    }
    let broken = get(&service, url(&urls, 2, "thumbnailUrl")).await;
    assert_eq!(broken.status, 422);
    assert!(String::from_utf8(broken.body).unwrap().contains("damaged"));
    service.stop().await;
}

/// Two nodes share the key of the signatures.
#[tokio::test]
async fn url_of_one_start_is_valid_after_the_next() {
    let clock = ManualClock::new();
    let (service, pdf) = sample_service(&clock).await;
    let urls = urls(&service).await;
    let folder = super::folder(service.database());
    let database = service.stop().await;
    let again = crate::harness::Setup::new().database(database).clock(&clock);
    let again = again.with(|settings| settings.files.store = Some(folder)).start().await;
    assert_eq!(get(&again, url(&urls, 0, "url")).await.body, pdf);
    again.stop().await;
}
