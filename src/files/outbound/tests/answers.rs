//! What becomes of each answer.

use super::*;

/// What fetching a PDF says of one answer.
async fn outcome(answer: impl Into<Vec<u8>>) -> String {
    let server = Server::answering(answer).await;
    let outbound = outbound(settings(true), &Names::default(), TimeLimits::DEFAULT);
    let mut sink = Sink::default();
    match fetch(&outbound, &server.url(), false, &mut sink).await {
        Ok(file) => format!("{} bytes", file.size_bytes),
        Err(error) => error,
    }
}

#[tokio::test]
async fn status_decides_whether_a_retry_helps() {
    for (status, expected) in [
        ("404 Not Found", "FAILED: 127.0.0.1 answered 404 Not Found: the file is not there"),
        ("410 Gone", "FAILED: 127.0.0.1 answered 410 Gone: the file is not there"),
        ("403 Forbidden", "RETRY: 127.0.0.1 answered 403 Forbidden"),
        ("400 Bad Request", "RETRY: 127.0.0.1 answered 400 Bad Request"),
        ("401 Unauthorized", "RETRY: 127.0.0.1 answered 401 Unauthorized"),
        ("429 Too Many Requests\r\nRetry-After: 7", "RETRY in 7 s: 127.0.0.1 answered 429 Too Many Requests"),
        ("500 Internal Server Error", "RETRY: 127.0.0.1 answered 500 Internal Server Error"),
        ("503 Slow Down\r\nRetry-After: 99999", "RETRY in 3600 s: 127.0.0.1 answered 503 Service Unavailable"),
        ("503 Slow Down\r\nRetry-After: later", "RETRY: 127.0.0.1 answered 503 Service Unavailable"),
        ("201 Created", "RETRY: 127.0.0.1 answered 201 Created"),
        ("202 Accepted", "RETRY: 127.0.0.1 answered 202 Accepted"),
        ("206 Partial Content", "RETRY: 127.0.0.1 answered 206 Partial Content"),
        ("300 Multiple Choices", "RETRY: 127.0.0.1 answered 300 Multiple Choices"),
        ("302 Found", "RETRY: 127.0.0.1 redirects, but its answer does not say where to"),
        ("599 X", "RETRY: 127.0.0.1 answered 599"),
    ] {
        let body = String::from_utf8_lossy(PDF);
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", PDF.len());
        assert_eq!(outcome(answer).await, expected, "{status}");
    }
    for (answer, expected) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", "RETRY: 127.0.0.1 answered 204 No Content"),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", "RETRY: 127.0.0.1 answered 304 Not Modified"),
    ] {
        assert_eq!(outcome(answer).await, expected);
    }
}

#[tokio::test]
async fn body_must_be_whole_and_of_its_kind() {
    let page = "<!doctype html><title>Sign in</title>";
    for (head, body, expected) in [
        ("Content-Length: 15", "%PDF-1.4\n%%EOF\n", "15 bytes"),
        ("Content-Length: 5", "%PDF-", "5 bytes"),
        ("Transfer-Encoding: chunked", "4\r\n%PDF\r\n7\r\n-1.4\nxx\r\n0\r\n\r\n", "11 bytes"),
        ("Content-Length: 5\r\nContent-Encoding: identity", "%PDF-", "5 bytes"),
        ("Content-Length: 5\r\nContent-Type: text/html", "%PDF-", "5 bytes"),
        // Cut.
        ("Content-Length: 16", "%PDF-1.4\n%%EOF\n", "RETRY: 127.0.0.1 broke off after 15 bytes"),
        ("Content-Length: 16", "%PD", "RETRY: 127.0.0.1 broke off after 3 bytes"),
        ("Content-Length: 16", "", "RETRY: 127.0.0.1 broke off after 0 bytes"),
        ("Transfer-Encoding: chunked", "f\r\n%PDF-1.4\n%%EOF\n\r\n", "RETRY: 127.0.0.1 broke off after 15 bytes"),
        ("Transfer-Encoding: chunked", "f\r\n%PDF-1.4\n", "RETRY: 127.0.0.1 broke off after 9 bytes"),
        ("X: y", "%PDF-1.4\n%%EOF\n", "RETRY: 127.0.0.1 did not say how long the file is"),
        ("Content-Length: 0", "", "RETRY: 127.0.0.1 ended its answer after 0 bytes"),
        ("Content-Length: 4", "%PDF", "RETRY: 127.0.0.1 ended its answer after 4 bytes"),
        // Of another kind.
        ("Content-Length: 37", page, "RETRY: 127.0.0.1 answered with a page instead of the file"),
        ("Content-Length: 6", "{\"a\":1", "RETRY: 127.0.0.1 answered with a page instead of the file"),
        ("Content-Length: 8\r\nContent-Type: application/pdf", "\u{89}PNG\r\n\u{1a}", "FAILED: the file is not a PDF"),
        ("Content-Length: 3", "GIF", "FAILED: the file is not a PDF"),
        // Packed.
        ("Content-Length: 5\r\nContent-Encoding: gzip", "%PDF-", "FAILED: 127.0.0.1 sent the file packed"),
        ("Content-Length: 5\r\nContent-Encoding: br", "%PDF-", "FAILED: 127.0.0.1 sent the file packed"),
        // Too large: by its head, and while it comes.
        (
            "Content-Length: 1000001",
            "%PDF-",
            "FAILED: the file has more than 1000000 bytes, the limit of files.max_bytes",
        ),
        ("Content-Length: 99999999999999999999", "%PDF-", "RETRY: 127.0.0.1 did not answer"),
    ] {
        let outcome = outcome(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}")).await;
        assert!(outcome.starts_with(expected), "{head} {body:?}: {outcome}");
    }
}

#[tokio::test]
async fn largest_file_is_fetched_and_a_larger_one_is_not() {
    for (length, expected) in [(1_000_000, "1000000 bytes"), (1_000_001, "FAILED: the file has more than 1000000")] {
        let mut body = vec![b'x'; length];
        body[..8].copy_from_slice(b"%PDF-1.7");
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n");
        let chunked = [head.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
        for answer in [chunked, ok(&body)] {
            let outcome = outcome(answer).await;
            assert!(outcome.starts_with(expected), "{length}: {outcome}");
        }
    }
}

#[tokio::test]
async fn answer_that_is_no_http_is_retried() {
    for answer in ["", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n%"]
    {
        let outcome = outcome(answer).await;
        assert!(outcome.starts_with("RETRY: 127.0.0.1 did not answer"), "{answer:?}: {outcome}");
    }
    // Nothing listens there any more.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let outbound = outbound(settings(true), &Names::default(), TimeLimits::DEFAULT);
    let link = format!("http://127.0.0.1:{port}/");
    let error = fetch(&outbound, &link, false, &mut Sink::default()).await.unwrap_err();
    assert!(error.starts_with("RETRY: 127.0.0.1 cannot be reached"), "{error}");
}

/// Serves one piece after another, with a pause before each but the first.
async fn slow_server(pieces: &'static [&'static str], pause: Duration) -> Server {
    Server::start("127.0.0.1:0", move |mut stream, _| async move {
        for piece in pieces {
            stream.write_all(piece.as_bytes()).await?;
            tokio::time::sleep(pause).await;
        }
        // It stays open.
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn host_that_takes_too_long_is_left() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n%PDF-1.7";
    // With these limits nothing is too late by its rate, but a pause may be.
    let patient = TimeLimits { grace: Duration::from_secs(60), ..SHORT };
    // Each pause is allowed, but not their sum.
    let strict = TimeLimits { idle: Duration::from_secs(60), ..SHORT };
    let millis = Duration::from_millis;
    for (pieces, pause, limits, expected) in [
        (&[][..], millis(0), SHORT, "RETRY: 127.0.0.1 did not answer within 0.3 s"),
        (
            &["HTTP/1.1 2", "00 OK\r\n", "X: y\r\n", "X: y\r\n"],
            millis(100),
            SHORT,
            "RETRY: 127.0.0.1 did not answer within",
        ),
        (&[HEAD], millis(0), patient, "RETRY: 127.0.0.1 sends too slowly: 8 bytes so far"),
        (&[HEAD, "x", "x", "x", "x", "x", "x", "x", "x"], millis(100), strict, "RETRY: 127.0.0.1 sends too slowly"),
    ] {
        let server = slow_server(pieces, pause).await;
        let outbound = outbound(settings(true), &Names::default(), limits);
        let error = fetch(&outbound, &server.url(), false, &mut Sink::default()).await.unwrap_err();
        assert!(error.starts_with(expected), "{pieces:?}: {error}");
    }
}

/// A slow store is not the fault of the host.
#[tokio::test]
async fn sink_that_takes_long_does_not_count_against_the_host() {
    struct SlowSink(u64);
    impl FileSink for SlowSink {
        type Error = std::convert::Infallible;
        async fn write(&mut self, bytes: Bytes) -> Result<(), Self::Error> {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.0 += bytes.len() as u64;
            Ok(())
        }
    }
    let server = Server::answering(ok(&[PDF, &vec![b'x'; 500_000]].concat())).await;
    let limits = TimeLimits { grace: Duration::from_millis(200), ..SHORT };
    let outbound = outbound(settings(true), &Names::default(), limits);
    let url = outbound.judge(&server.url(), false).unwrap();
    let mut sink = SlowSink(0);
    let file = outbound.download(&url, FileKind::Pdf, MAX_BYTES, &mut sink).await.unwrap();
    assert_eq!((file.size_bytes, sink.0), (500_015, 500_015));
}

#[tokio::test]
async fn sink_error_ends_the_download() {
    let server = Server::answering(ok(&[PDF, &vec![b'x'; 500_000]].concat())).await;
    let outbound = outbound(settings(true), &Names::default(), TimeLimits::DEFAULT);
    let mut sink = Sink { room: Some(1000), ..Sink::default() };
    assert_eq!(fetch(&outbound, &server.url(), false, &mut sink).await, Err("SINK: the disk is full".to_owned()));
}

#[tokio::test]
async fn sink_gets_nothing_of_a_file_of_another_kind() {
    let server = Server::answering(ok(&vec![b'x'; 100_000])).await;
    let outbound = outbound(settings(true), &Names::default(), TimeLimits::DEFAULT);
    let mut sink = Sink::default();
    assert!(fetch(&outbound, &server.url(), false, &mut sink).await.unwrap_err().starts_with("FAILED"));
    assert_eq!(sink.bytes, 0);
}

#[tokio::test]
async fn request_tells_nothing_of_the_one_before() {
    let target = Server::answering(ok(PDF)).await;
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nSet-Cookie: a=b; Path=/\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        target.url().replace("127.0.0.1", "localhost")
    );
    let server = Server::answering(redirect).await;
    let names = Names::new(&[("localhost", &[&["127.0.0.1"]])]);
    let outbound = outbound(settings(true), &names, TimeLimits::DEFAULT);
    let link = format!("{}#fragment", server.url());
    for _ in 0..2 {
        fetch(&outbound, &link, false, &mut Sink::default()).await.unwrap();
    }
    let requests = [server.requests(), target.requests()].concat();
    assert_eq!(requests.len(), 4);
    for request in requests {
        let mut lines: Vec<&str> = request.trim_end().lines().collect();
        assert_eq!(lines.remove(0), "GET /a.pdf?Expires=1&Signature=s3cret HTTP/1.1");
        lines.retain(|line| !line.starts_with("host: "));
        lines.sort_unstable();
        let agent = concat!("user-agent: bidarc/", env!("CARGO_PKG_VERSION"));
        assert_eq!(lines, ["accept-encoding: identity", "accept: */*", agent]);
    }
}

/// Serves a PDF of this many bytes, which are made as they are sent.
async fn large_file(length: usize) -> Server {
    Server::start("127.0.0.1:0", move |mut stream, _| async move {
        let piece = [b'x'; 64 * 1024];
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n%PDF-1.7");
        stream.write_all(head.as_bytes()).await?;
        let mut left = length - 8;
        while left > 0 {
            let next = left.min(piece.len());
            stream.write_all(&piece[..next]).await?;
            left -= next;
        }
        Ok(())
    })
    .await
}

/// Fetches a large file and checks its size and digest. Returns the longest piece.
async fn fetch_large_file(length: usize) -> usize {
    let server = large_file(length).await;
    let outbound = outbound(settings(true), &Names::default(), TimeLimits::DEFAULT);
    let mut sink = Sink::default();
    let url = outbound.judge(&server.url(), false).unwrap();
    let file = outbound.download(&url, FileKind::Pdf, length as u64, &mut sink).await.unwrap();
    assert_eq!((file.size_bytes, sink.bytes), (length as u64, length as u64));
    assert!(sink.first.starts_with(b"%PDF-1.7xxx"));
    let mut hash = sha2::Sha256::new();
    hash.update(b"%PDF-1.7");
    let piece = [b'x'; 64 * 1024];
    let mut left = length - 8;
    while left > 0 {
        let next = left.min(piece.len());
        hash.update(&piece[..next]);
        left -= next;
    }
    assert_eq!(file.digest, Digest::new(hash.finalize().into()));
    sink.longest
}

#[tokio::test]
async fn large_file_comes_in_pieces() {
    let longest = fetch_large_file(16_000_000).await;
    assert!(longest < 1_000_000, "a piece has {longest} bytes");
}

/// The memory that a file of 200 MB needs. It measures the process, so it runs alone:
/// `cargo test --release --lib file_of_200_mb -- --ignored`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures the memory of the process, so it must run alone"]
async fn file_of_200_mb_needs_little_memory() {
    let resident = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    fetch_large_file(100_000).await;
    let before = resident();
    fetch_large_file(200_000_000).await;
    let more = resident() - before;
    println!("{more} KiB more at the peak, of {before} KiB before");
    assert!(more < 30 * 1024, "{more} KiB more");
}
