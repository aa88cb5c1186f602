use chrono::Utc;

use super::*;
use crate::clock;
use crate::sample::Sampler;

async fn server(options: Options) -> FileServer {
    FileServer::start(options).await.unwrap()
}

fn link(server: &FileServer, path: &str, version: u64) -> String {
    link_at(server, path, version, clock::now())
}

fn link_at(server: &FileServer, path: &str, version: u64, at: chrono::DateTime<Utc>) -> String {
    server.links().signed(path, version, at, &mut Sampler::new(version))
}

/// The status, and the body if it is whole.
async fn get(link: &str) -> (u16, Option<Vec<u8>>) {
    let response = reqwest::Client::builder().no_proxy().build().unwrap().get(link).send().await.unwrap();
    (response.status().as_u16(), response.bytes().await.ok().map(Vec::from))
}

#[tokio::test]
async fn link_leads_to_its_version_until_it_expires() {
    let server = server(Options::default()).await;
    for (path, start) in [("drawings/7/drawing.pdf", &b"%PDF-"[..]), ("drawings/7/drawing.png", b"\x89PNG\r\n\x1a\n")] {
        let (first, second) = (link(&server, path, 1), link(&server, path, 2));
        let file = server.expected(&first).unwrap();
        assert!(file.starts_with(start));
        assert_eq!(get(&first).await, (200, Some(file.clone())));
        assert_ne!(server.expected(&second).unwrap(), file);
        assert_eq!(get(&second).await, (200, server.expected(&second)));
    }
    let dead = link_at(&server, "drawings/7/drawing.pdf", 1, clock::now() - TimeDelta::hours(25));
    assert!(server.expected(&dead).is_some());
    assert_eq!(get(&dead).await.0, 403);
    let forged = link(&server, "drawings/7/drawing.pdf", 1).replace("drawings/7", "drawings/8");
    assert_eq!((get(&forged).await.0, server.expected(&forged)), (403, None));
    assert_eq!(server.requests().iter().map(|(_, status)| *status).collect::<Vec<_>>(), [200, 200, 200, 200, 403, 403]);
}

#[tokio::test]
async fn fault_is_that_of_one_answer() {
    let server = server(Options::default()).await;
    let link = link(&server, "options/7.pdf", 1);
    let file = server.expected(&link);
    for (fault, status) in [
        (Fault::Status(500), 500),
        (Fault::RetryAfter(Duration::from_secs(1)), 503),
        (Fault::Page, 200),
        (Fault::WrongType, 200),
        (Fault::Cut, 200),
    ] {
        server.next(fault.clone());
        let (answered, body) = get(&link).await;
        assert_eq!(answered, status, "{fault:?}");
        assert_ne!(body, file, "{fault:?}");
        // A cut body is shorter than the answer said.
        assert_eq!(body.is_none(), fault == Fault::Cut, "{fault:?}");
        assert_eq!(get(&link).await, (200, file.clone()), "after {fault:?}");
    }
    server.next(Fault::Slow(Duration::from_millis(50)));
    assert_eq!(get(&link).await, (200, file));
}

#[tokio::test]
async fn share_of_answers_fails_and_share_of_links_is_lost() {
    let failing = server(Options { failing: 0.5, slow: Duration::from_millis(10), ..Options::default() }).await;
    let lost = server(Options { lost: 0.5, ..Options::default() }).await;
    let (mut failed, mut gone) = (0, 0);
    for version in 0..60 {
        let link = link(&failing, "options/7.pdf", version);
        failed += usize::from(get(&link).await != (200, failing.expected(&link)));
        let link = self::link(&lost, "options/7.pdf", version);
        let expected = lost.expected(&link);
        gone += usize::from(expected.is_none());
        for _ in 0..2 {
            let (status, body) = get(&link).await;
            assert_eq!(status == 200 && body == expected, expected.is_some());
        }
    }
    assert!((10..50).contains(&failed), "{failed}");
    assert!((10..50).contains(&gone), "{gone}");
}

#[tokio::test]
async fn server_is_idle_some_time_after_its_last_request() {
    let server = server(Options::default()).await;
    get(&link(&server, "options/7.pdf", 1)).await;
    let last = Instant::now();
    server.idle(Duration::from_millis(300)).await;
    assert!(last.elapsed() >= Duration::from_millis(250));
}
