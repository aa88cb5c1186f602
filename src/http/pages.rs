//! The dashboard and the playground: the pages at a fixed list of routes, and the files that they
//! load. Everything comes from the binary. Each page has its own Content Security Policy;
//! `protection` adds the other headers.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::read::GzDecoder;
use web::Content;

use super::error::HttpError;

/// The dashboard loads only files of its own, and its scripts may write no HTML.
const DASHBOARD_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// GraphiQL's editor adds styles while it runs, and its style sheet has a font and images in it.
const PLAYGROUND_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// What no page uses. The wall keeps the screen on.
const PERMISSIONS_POLICY: &str = "screen-wake-lock=(self), camera=(), display-capture=(), geolocation=(), microphone=(), \
     payment=(), usb=()";

/// The name of a file changes with its content.
const CACHE_FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Asks for a page again each time, so that it is of the version that runs.
const CACHE_CHECKED: &str = "no-cache";

/// The most segments that the path of a page has.
const DEPTH_MAX: usize = 2;

/// A page, for each number of segments of its path. Its URLs are relative to the page, so that it
/// works below any path of a proxy.
#[derive(Clone)]
struct Page {
    texts: Arc<[Text]>,
    policy: &'static str,
}

struct Text {
    html: Bytes,
    etag: HeaderValue,
}

/// A file that pages load.
struct Asset {
    brotli: Bytes,
    gzip: Bytes,
    /// Unpacked for the first client that takes neither, and then shared.
    plain: OnceLock<Bytes>,
    etag: HeaderValue,
    media_type: &'static str,
}

impl Asset {
    fn plain(&self) -> Result<Bytes, HttpError> {
        if let Some(plain) = self.plain.get() {
            return Ok(plain.clone());
        }
        let mut bytes = Vec::new();
        GzDecoder::new(&*self.gzip).read_to_end(&mut bytes).map_err(|_| HttpError::Unavailable)?;
        Ok(self.plain.get_or_init(|| bytes.into()).clone())
    }
}

type Assets = Arc<HashMap<String, Asset>>;

/// The routes of all pages and of their files.
pub(super) fn router() -> Router {
    let mut router = Router::new();
    let mut assets = HashMap::new();
    for file in web::files() {
        match file.content {
            Content::Plain(html) if file.path == "index.html" => {
                let dashboard = Page::new(&html, &file.hash, DASHBOARD_POLICY);
                for route in web::routes() {
                    router = router.route(route, get(page).with_state(dashboard.clone()));
                }
            }
            Content::Plain(html) if file.path == "playground.html" => {
                let playground = Page::new(&html, &file.hash, PLAYGROUND_POLICY);
                router = router.route("/playground", get(page).with_state(playground));
            }
            Content::Plain(_) => {}
            Content::Compressed { brotli, gzip } => {
                let media_type = media_type(&file.path);
                let (brotli, gzip) = (into_bytes(brotli), into_bytes(gzip));
                assets.insert(
                    file.path,
                    Asset { brotli, gzip, plain: OnceLock::new(), etag: etag(&file.hash, ""), media_type },
                );
            }
        }
    }
    router.merge(Router::new().route("/assets/{name}", get(asset)).with_state(Arc::new(assets)))
}

/// Any other path.
pub(super) async fn not_found() -> HttpError {
    HttpError::NotFound
}

impl Page {
    fn new(html: &[u8], hash: &[u8; 32], policy: &'static str) -> Self {
        let html = String::from_utf8_lossy(html);
        let text = |depth: usize| {
            let to_root = if depth < 2 { "./".to_owned() } else { "../".repeat(depth - 1) };
            Text { html: html.replace("\"./", &format!("\"{to_root}")).into(), etag: etag(hash, &depth.to_string()) }
        };
        Self { texts: (1..=DEPTH_MAX).map(text).collect(), policy }
    }
}

async fn page(State(page): State<Page>, uri: Uri, headers: HeaderMap) -> Result<Response, HttpError> {
    if !accepts_html(&headers) {
        return Err(HttpError::NotFound);
    }
    let depth = uri.path().matches('/').count();
    let text = page.texts.get(depth - 1).ok_or(HttpError::NotFound)?;
    let mut response = Response::new(Body::from(text.html.clone()));
    let permissions = HeaderName::from_static("permissions-policy");
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, page.policy),
        (permissions, PERMISSIONS_POLICY),
        (header::CACHE_CONTROL, CACHE_CHECKED),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(unless_known(&headers, &text.etag, response))
}

async fn asset(
    State(assets): State<Assets>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let asset = assets.get(&format!("assets/{name}")).ok_or(HttpError::NotFound)?;
    let (coding, body) = if accepts_coding(&headers, "br") {
        (Some("br"), asset.brotli.clone())
    } else if accepts_coding(&headers, "gzip") {
        (Some("gzip"), asset.gzip.clone())
    } else {
        (None, asset.plain()?)
    };
    let mut response = Response::new(Body::from(body));
    for (name, value) in [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, CACHE_FOR_EVER),
        (header::VARY, "accept-encoding"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Some(coding) = coding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    // Each coding is a representation of its own.
    let etag = match coding {
        Some(coding) => suffixed(&asset.etag, coding),
        None => asset.etag.clone(),
    };
    Ok(unless_known(&headers, &etag, response))
}

/// Adds the tag to an answer, which loses its body if the client has it already.
fn unless_known(headers: &HeaderMap, etag: &HeaderValue, mut response: Response) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known
        .flat_map(|tags| tags.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes());
    if is_known {
        let kept = std::mem::take(response.headers_mut());
        response = axum::http::StatusCode::NOT_MODIFIED.into_response();
        *response.headers_mut() = kept;
        response.headers_mut().remove(header::CONTENT_ENCODING);
    }
    response.headers_mut().insert(header::ETAG, etag.clone());
    response
}

/// A strong tag: the start of the hash, and what tells this representation from others.
fn etag(hash: &[u8; 32], suffix: &str) -> HeaderValue {
    let text = format!("\"{}{suffix}\"", hex::encode(&hash[..16]));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))
}

fn suffixed(etag: &HeaderValue, suffix: &str) -> HeaderValue {
    let text = etag.to_str().unwrap_or_default().trim_end_matches('"');
    HeaderValue::from_str(&format!("{text}-{suffix}\"")).unwrap_or_else(|_| etag.clone())
}

/// Whether the request is for a page: browsers ask for HTML, and most programs for anything. One
/// that asks for JSON gets no page with status 200.
fn accepts_html(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    accepted.peek().is_none()
        || accepted.flat_map(|value| value.split(',')).any(|range| {
            let essence = range.split(';').next().unwrap_or_default().trim();
            ["text/html", "text/*", "*/*"].iter().any(|known| essence.eq_ignore_ascii_case(known))
        })
}

/// Whether the client takes this content coding.
fn accepts_coding(headers: &HeaderMap, coding: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let is_refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
        is_named && !is_refused
    })
}

fn into_bytes(content: std::borrow::Cow<'static, [u8]>) -> Bytes {
    match content {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => bytes.into(),
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "ttf" => "font/ttf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn urls_of_a_page_lead_to_the_root_from_each_depth() {
        let page = Page::new(b"<a href=\"./assets/x.js\">", &[0; 32], "");
        let texts: Vec<_> = page.texts.iter().map(|text| &text.html[..]).collect();
        assert_eq!(texts, [&b"<a href=\"./assets/x.js\">"[..], b"<a href=\"../assets/x.js\">"]);
        assert_ne!(page.texts[0].etag, page.texts[1].etag);
        assert!(web::routes().all(|route| route.matches('/').count() <= DEPTH_MAX));
    }

    #[test]
    fn page_is_for_who_accepts_html() {
        assert!(accepts_html(&HeaderMap::new()));
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("*/*", true),
            ("Text/HTML; charset=utf-8", true),
            ("application/json", false),
            ("text/event-stream", false),
            ("", false),
        ] {
            assert_eq!(accepts_html(&headers(header::ACCEPT, accept)), expected, "{accept}");
        }
    }

    #[test]
    fn coding_is_accepted_unless_its_quality_is_zero() {
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", true),
            ("BR;q=0.5", true),
            ("br;q=0", false),
            ("br; q=0.0", false),
            ("brotli", false),
            ("gzip", false),
        ] {
            assert_eq!(accepts_coding(&headers(header::ACCEPT_ENCODING, accept), "br"), expected, "{accept}");
        }
    }
}
