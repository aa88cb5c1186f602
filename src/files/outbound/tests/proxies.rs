//! A proxy of the settings is used, and none of the environment.

use super::*;

fn with_proxy(url: &str) -> OutboundSettings {
    OutboundSettings { proxy: Some(url.into()), ..settings(true) }
}

#[tokio::test]
async fn proxy_of_the_settings_fetches_all_but_this_machine() {
    let proxy = Server::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    let server = Server::answering(ok(PDF)).await;
    let names = Names::new(&[("proxy.office", &[&["127.0.0.1"]]), ("files.arcsite.com", &[&["10.0.0.1"]])]);
    let settings = with_proxy(&format!("http://me:s3cret@proxy.office:{}", proxy.port));
    let outbound = outbound(settings, &names, TimeLimits::DEFAULT);

    let error = fetch(&outbound, "https://files.arcsite.com/a", true, &mut Sink::default()).await.unwrap_err();
    assert!(error.starts_with("RETRY: files.arcsite.com cannot be reached"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    let requests = proxy.requests();
    assert!(requests[0].starts_with("CONNECT files.arcsite.com:443 HTTP/1.1\r\n"), "{requests:?}");
    // The proxy resolves the host, and the host must still be allowed.
    assert_eq!(names.lookups(), ["proxy.office"]);
    for link in ["https://evil.example/", "https://10.0.0.1/", "https://files.arcsite.com:8443/"] {
        let error = fetch(&outbound, link, true, &mut Sink::default()).await.unwrap_err();
        assert!(error.starts_with("REFUSED"), "{error}");
    }
    assert!(fetch(&outbound, &server.url(), true, &mut Sink::default()).await.is_ok());
    assert_eq!((proxy.connections(), server.connections()), (1, 1));
}

#[test]
fn setting_that_is_no_proxy_is_refused_without_showing_its_secret() {
    for url in ["proxy", "socks5://me:s3cret@proxy:1080", "http://", "ftp://me:s3cret@proxy", "s3cret:s3cret"] {
        let error = Outbound::new(with_proxy(url), Clock::system()).unwrap_err().to_string();
        assert!(error.contains("files.proxy") && !error.contains("s3cret"), "{error}");
    }
}

/// Only another process can have another environment.
#[tokio::test]
async fn proxy_of_the_environment_is_not_used() {
    let proxy = Server::answering(ok(PDF)).await;
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    let proxy_url = format!("http://127.0.0.1:{}", proxy.port);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, &proxy_url);
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    let test = "files::outbound::tests::proxies::file_is_fetched_without_the_proxy_of_the_environment";
    let output = command.args(["--exact", test, "--ignored"]).output().await.unwrap();
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.contains("1 passed"), "{output}");
    // The one connection is that of the library with its defaults.
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
#[ignore = "it needs an environment of its own: proxy_of_the_environment_is_not_used runs it"]
async fn file_is_fetched_without_the_proxy_of_the_environment() {
    let server = Server::answering(ok(PDF)).await;
    // The same library takes the proxy if it may.
    assert!(reqwest::get(server.url()).await.is_ok());
    assert_eq!(server.connections(), 0);
    let outbound = outbound(settings(true), &Names::default(), TimeLimits::DEFAULT);
    assert!(fetch(&outbound, &server.url(), true, &mut Sink::default()).await.is_ok());
    assert_eq!(server.connections(), 1);
}
