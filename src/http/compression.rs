//! Compresses responses for clients that accept it: a page of a list to a third or less, an
//! introspection to a fifth. A vendor reads only the status, and an event must not wait in a
//! buffer, so hooks and streams are left alone.

use axum::http::{HeaderMap, StatusCode, Version, header};
use tower_http::compression::predicate::{And, Predicate as _, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

/// The smallest response that is compressed. A smaller one fits into one packet as it is.
const BYTES_MIN: u64 = 1024;

/// Media types of text that ends.
const COMPRESSIBLE: [&str; 6] =
    ["application/json", "application/graphql-response+json", "text/html", "text/css", "text/javascript", "text/csv"];

type IsCompressible = fn(StatusCode, Version, &HeaderMap, &axum::http::Extensions) -> bool;

/// The layer that compresses with gzip, at the level that costs least.
pub(super) fn layer() -> CompressionLayer<And<SizeAbove, IsCompressible>> {
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(BYTES_MIN).and(is_compressible as IsCompressible))
}

fn is_compressible(_: StatusCode, _: Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    COMPRESSIBLE.contains(&essence)
}
