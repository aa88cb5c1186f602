//! Refuses heads that two parsers could read as two different requests (RFC 9112, 3.2 and 6.1), as
//! far as hyper passes them on. hyper itself refuses folded headers, codings that do not end with
//! `chunked` and lengths that differ, and closes a connection whose request has a coding and a
//! length.

use axum::http::request::Parts;
use axum::http::{Version, header};

use crate::http::error::HttpError;

/// Checks the head of a request.
///
/// # Errors
///
/// It has several hosts, none in HTTP/1.1, or a transfer coding other than `chunked`.
pub(super) fn check(head: &Parts) -> Result<(), HttpError> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version == Version::HTTP_11 => {
            return Err(HttpError::Malformed("the header Host is missing"));
        }
        (Some(_), Some(_)) => return Err(HttpError::Malformed("the request has several Host headers")),
        (None | Some(_), _) => {}
    }
    let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if !is_chunked || codings.next().is_some() {
        return Err(HttpError::Malformed("the only Transfer-Encoding that is supported is chunked"));
    }
    Ok(())
}
