//! Stored files: `GET /files/{id}/{name}`, and `/files/{id}/thumbnail`. A URL is signed, so that it
//! needs no key; it names the bytes by their digest, so that serving reads no database.
//!
//! A file is foreign content. A browser shows it without its scripts, its forms and this origin's
//! storage, or saves it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_range_header::{EndPosition, StartPosition, SyntacticallyCorrectRange};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::error::{HttpError, end_connection};
use super::server::Exchange;
use crate::domain::{Digest, FileId, FileKind};
use crate::files::Vault;
use crate::files::signing::{InvalidUrl, SignedFile, THUMBNAIL};
use crate::files::storage::{ObjectName, StorageError};
use crate::files::thumbnail::ThumbnailError;

/// What a file may do in a browser.
const FILE_POLICY: &str = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the extended form of a file's name may hold as it is (RFC 8187).
const ATTRIBUTE_CHARACTERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The routes of files. Without a vault they have none.
pub(super) fn router(vault: Option<Vault>) -> Router {
    let Some(vault) = vault else { return Router::new() };
    Router::new().route("/files/{id}/{name}", get(file)).with_state(vault)
}

/// The signed part of a URL.
#[derive(Deserialize)]
struct Signed {
    digest: String,
    expires: i64,
    signature: String,
}

/// What is served, and how.
struct Served {
    object: ObjectName,
    etag: String,
    content_type: &'static str,
    disposition: String,
    /// For how many seconds the URL is still valid.
    seconds_left: i64,
}

async fn file(
    State(vault): State<Vault>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path((id, name)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Some((file, signed, signature)) = parse(&id, name, &uri) else {
        return refuse(InvalidUrl::Forged, &exchange);
    };
    let seconds_left = match vault.signer.verify(&file, signed.expires, &signature).await {
        Ok(Ok(seconds_left)) => seconds_left,
        Ok(Err(invalid)) => return refuse(invalid, &exchange),
        Err(error) => {
            tracing::warn!(%error, "the key of the URLs of files cannot be read");
            return HttpError::Unavailable.into_response();
        }
    };
    let served = if file.name == THUMBNAIL {
        if let Err(error) = vault.thumbnails.ensure(&file.digest).await {
            return thumbnail_error(error);
        }
        Served {
            object: ObjectName::Thumbnail(file.digest),
            etag: format!("\"{}-{THUMBNAIL}\"", file.digest),
            content_type: FileKind::Png.media_type(),
            disposition: disposition("inline", &format!("{THUMBNAIL}.png")),
            seconds_left,
        }
    } else {
        let (kind, place) = match file.name.ends_with(".png") {
            true => (FileKind::Png, "inline"),
            // A browser shows no PDF in a sandbox.
            false => (FileKind::Pdf, "attachment"),
        };
        Served {
            object: ObjectName::File(file.digest),
            etag: format!("\"{}\"", file.digest),
            content_type: kind.media_type(),
            disposition: disposition(place, &file.name),
            seconds_left,
        }
    };
    served.answer(&vault, &method, &headers).await.unwrap_or_else(storage_error)
}

/// The parts of a URL; none if it cannot be one of ours.
fn parse(id: &str, name: String, uri: &Uri) -> Option<(SignedFile, Signed, Vec<u8>)> {
    let id = id.parse().ok().filter(|number: &i64| number.to_string() == id)?;
    let Query(signed) = Query::<Signed>::try_from_uri(uri).ok()?;
    let signature = hex::decode(&signed.signature).ok()?;
    let file = SignedFile { id: FileId(id), digest: signed.digest.parse::<Digest>().ok()?, name };
    Some((file, signed, signature))
}

/// Answers 403. A forged URL is a failure of its peer, as a wrong key is.
fn refuse(invalid: InvalidUrl, exchange: &Exchange) -> Response {
    let limited = match invalid {
        InvalidUrl::Forged => exchange.record_failure(("files", "forged_url")),
        InvalidUrl::Expired => {
            exchange.count_refusal(("files", "expired_url"));
            Ok(())
        }
    };
    let mut response = HttpError::Forbidden(invalid.to_string()).into_response();
    if let Err(wait) = limited {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        end_connection(&mut response, wait);
    }
    response
}

fn storage_error(error: StorageError) -> Response {
    if matches!(error, StorageError::NotFound) {
        return HttpError::FileGone.into_response();
    }
    tracing::warn!(%error, "a stored file cannot be served");
    HttpError::Unavailable.into_response()
}

fn thumbnail_error(error: ThumbnailError) -> Response {
    match error {
        error @ (ThumbnailError::TooLarge | ThumbnailError::Damaged) => {
            HttpError::NoThumbnail(error.to_string()).into_response()
        }
        ThumbnailError::Busy => HttpError::Unavailable.into_response(),
        ThumbnailError::Storage(error) => storage_error(error),
    }
}

/// The header Content-Disposition by RFC 6266: a name in ASCII, and the whole name.
fn disposition(place: &str, name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || " -_.()".contains(letter);
    let plain: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    let whole = utf8_percent_encode(name, ATTRIBUTE_CHARACTERS);
    format!("{place}; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

impl Served {
    async fn answer(self, vault: &Vault, method: &Method, headers: &HeaderMap) -> Result<Response, StorageError> {
        let size = vault.store.object_size(self.object).await?;
        let mut response = self.body(vault, method, headers, size).await?;
        let cache = format!("private, max-age={}, immutable", self.seconds_left);
        let added = [
            (header::ETAG, self.etag),
            (header::CACHE_CONTROL, cache),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (header::CONTENT_DISPOSITION, self.disposition),
            (header::CONTENT_SECURITY_POLICY, FILE_POLICY.to_owned()),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            // Its URL proves that a page may show it, also a page of another origin.
            (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin".to_owned()),
        ];
        for (name, value) in added {
            response.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("")));
        }
        Ok(response)
    }

    async fn body(
        &self,
        vault: &Vault,
        method: &Method,
        headers: &HeaderMap,
        size: u64,
    ) -> Result<Response, StorageError> {
        if lists(headers, &header::IF_NONE_MATCH, &self.etag) {
            return Ok(StatusCode::NOT_MODIFIED.into_response());
        }
        let asked = match requested_range(headers, &self.etag) {
            Some(range) if *method == Method::GET => Some(range_of(&range, size)),
            Some(_) | None => None,
        };
        let (status, part) = match asked {
            None => (StatusCode::OK, None),
            Some(Some(part)) => (StatusCode::PARTIAL_CONTENT, Some(part)),
            Some(None) => {
                let whole = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
                return Ok((StatusCode::RANGE_NOT_SATISFIABLE, whole).into_response());
            }
        };
        let length = part.as_ref().map_or(size, |part| part.end() - part.start() + 1);
        let mut fields = HeaderMap::new();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        fields.insert(header::CONTENT_LENGTH, length.into());
        if let Some(part) = &part
            && let Ok(value) = HeaderValue::from_str(&format!("bytes {}-{}/{size}", part.start(), part.end()))
        {
            fields.insert(header::CONTENT_RANGE, value);
        }
        if *method == Method::HEAD {
            return Ok((status, fields).into_response());
        }
        let bytes = part.map(|part| *part.start()..part.end() + 1);
        let stream = vault.store.read_object(self.object, bytes).await?;
        Ok((status, fields, Body::from_stream(stream)).into_response())
    }
}

/// Whether a header lists this entity tag, or any. The tags are compared weakly.
fn lists(headers: &HeaderMap, name: &HeaderName, etag: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// The one range that a request asks for. Several, and what is no range, ask for the whole file; so
/// does one for another file than this.
fn requested_range(headers: &HeaderMap, etag: &str) -> Option<SyntacticallyCorrectRange> {
    let mut values = headers.get_all(header::RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    if headers.get(header::IF_RANGE).is_some_and(|tag| tag != etag) {
        return None;
    }
    let ranges = http_range_header::parse_range_header(value.to_str().ok()?).ok()?.ranges;
    let [range] = ranges.as_slice() else { return None };
    match range {
        // Its end is before its start.
        SyntacticallyCorrectRange { start: StartPosition::Index(start), end: EndPosition::Index(end) }
            if end < start =>
        {
            None
        }
        range => Some(*range),
    }
}

/// The bytes of a range in a file of this size; none if it has none of them.
fn range_of(range: &SyntacticallyCorrectRange, size: u64) -> Option<RangeInclusive<u64>> {
    let last = size.checked_sub(1)?;
    let part = match (&range.start, &range.end) {
        (StartPosition::FromLast(0), _) => return None,
        (StartPosition::FromLast(count), _) => size.saturating_sub(*count)..=last,
        (StartPosition::Index(first), EndPosition::Index(end)) => *first..=last.min(*end),
        (StartPosition::Index(first), EndPosition::LastByte) => *first..=last,
    };
    (!part.is_empty()).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str, size: u64) -> Option<Option<(u64, u64)>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, text.parse().unwrap());
        let range = requested_range(&headers, "\"a\"")?;
        Some(range_of(&range, size).map(|part| (*part.start(), *part.end())))
    }

    #[test]
    fn range_is_read_as_rfc_9110_defines_it() {
        for (text, part) in [
            ("bytes=0-0", Some((0, 0))),
            ("bytes=5-9", Some((5, 9))),
            ("bytes=5-", Some((5, 9))),
            ("bytes=5-500", Some((5, 9))),
            ("bytes=-3", Some((7, 9))),
            ("bytes=-500", Some((0, 9))),
            ("bytes=10-", None),
            ("bytes=10-20", None),
        ] {
            assert_eq!(range(text, 10), Some(part), "{text}");
        }
        assert_eq!(range("bytes=0-", 0), Some(None));
        for whole in
            ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=-0", "lines=1-2", "bytes=0-1,4-5"]
        {
            assert_eq!(range(whole, 10), None, "{whole}");
        }
    }

    #[test]
    fn entity_tag_is_found_in_a_list() {
        let etag = "\"a1\"";
        for (value, is_listed) in [
            ("\"a1\"", true),
            ("W/\"a1\"", true),
            ("\"b\", \"a1\"", true),
            ("*", true),
            ("", false),
            ("a1", false),
            ("\"a\"", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            assert_eq!(lists(&headers, &header::IF_NONE_MATCH, etag), is_listed, "{value}");
        }
    }

    #[test]
    fn disposition_has_the_name_in_both_forms() {
        assert_eq!(
            disposition("attachment", "Zaun \u{fc}ber.pdf"),
            "attachment; filename=\"Zaun _ber.pdf\"; filename*=UTF-8''Zaun%20%C3%BCber.pdf"
        );
        let hostile = disposition("inline", "a\"; filename=\"b.exe\r\nx: y");
        assert!(!hostile.contains(['\r', '\n']) && hostile.matches('"').count() == 2, "{hostile}");
    }
}
