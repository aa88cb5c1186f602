//! The pages of the dashboard and the playground, and the files that they load.

use reqwest::Method;

use crate::harness::{HttpResponse, Service};

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

async fn get(service: &Service, path: &str, headers: &[(&str, &str)]) -> HttpResponse {
    let request =
        headers.iter().fold(service.request(Method::GET, path), |request, (name, value)| request.header(*name, *value));
    HttpResponse::of(request).await
}

/// The URLs of files in a page, resolved against its path.
fn urls(path: &str, html: &str) -> Vec<String> {
    let base = url::Url::parse("http://office.example/").unwrap().join(path).unwrap();
    let values = ["src=\"", "href=\""].into_iter().flat_map(|attribute| html.split(attribute).skip(1));
    values.map(|rest| base.join(rest.split('"').next().unwrap()).unwrap().path().to_owned()).collect()
}

#[tokio::test]
async fn page_is_served_at_its_routes_and_loads_only_files_of_the_service() {
    let service = Service::open().await;
    for path in ["/", "/events", "/events/event:42", "/hooks", "/wall?every=30", "/playground"] {
        let page = get(&service, path, &[("accept", HTML)]).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-cache"), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        let is_playground = path == "/playground";
        assert_eq!(policy.contains("require-trusted-types-for 'script'"), !is_playground, "{policy}");
        assert_eq!(policy.contains("'unsafe-inline'"), is_playground, "{policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
        assert!(!page.body.contains("<style") && !page.body.contains("<script>"), "{path}: inline code");
        let tag = page.header("etag").unwrap();
        let again = get(&service, path, &[("accept", HTML), ("if-none-match", tag)]).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
        for url in urls(path, &page.body) {
            let asset = get(&service, &url, &[]).await;
            assert_eq!(asset.status, 200, "{path}: {url}");
            assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"), "{url}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn page_answers_no_other_method_type_or_path() {
    let service = Service::open().await;
    for (method, path, accept, status) in [
        (Method::GET, "/events", "application/json", 404),
        (Method::GET, "/events/1/2", HTML, 404),
        (Method::GET, "/other", HTML, 404),
        (Method::GET, "/webhooks", HTML, 404),
        (Method::GET, "/webhooks/", HTML, 404),
        (Method::GET, "/webhooks/events", HTML, 404),
        (Method::GET, "/webhooks/other/x", HTML, 404),
        (Method::GET, "/assets/", HTML, 404),
        (Method::GET, "/assets/index.html", HTML, 404),
        (Method::GET, "/assets/..%2Findex.html", HTML, 404),
        (Method::GET, "/index.html", HTML, 404),
        (Method::GET, "/graphql/events", HTML, 404),
        (Method::POST, "/", HTML, 405),
        (Method::POST, "/events", HTML, 405),
        (Method::POST, "/hooks", HTML, 405),
    ] {
        let answer = HttpResponse::of(service.request(method.clone(), path).header("accept", accept)).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(!answer.body.contains("<html"), "{method} {path}");
    }
    service.stop().await;
}

#[tokio::test]
async fn file_has_a_tag_for_each_content_coding() {
    let service = Service::open().await;
    let page = get(&service, "/", &[]).await;
    let urls = urls("/", &page.body);
    let script = urls.iter().find(|url| url.ends_with(".js")).unwrap();
    let mut tags = Vec::new();
    for (accepted, coding) in
        [("br, gzip", Some("br")), ("gzip", Some("gzip")), ("br;q=0, gzip", Some("gzip")), ("identity", None)]
    {
        let file = service.request(Method::GET, script).header("accept-encoding", accepted).send().await.unwrap();
        let header = |name: &str| file.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("content-encoding").as_deref(), coding, "{accepted}");
        assert_eq!(header("vary").as_deref(), Some("accept-encoding"), "{accepted}");
        let tag = header("etag").unwrap();
        let known = [("accept-encoding", accepted), ("if-none-match", tag.as_str())];
        assert_eq!(get(&service, script, &known).await.status, 304, "{accepted}");
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
    service.stop().await;
}
