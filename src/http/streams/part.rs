//! Encodes the parts of Apollo's multipart protocol for subscriptions, `subscriptionSpec=1.0`.
//!
//! Clients take a part for complete when they see the boundary after it. Every write therefore ends
//! with a boundary.

/// The media type of the response, with the boundary that the protocol prescribes.
pub(super) const CONTENT_TYPE: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0";

/// The first boundary.
pub(super) const START: &[u8] = b"\r\n--graphql";

/// The keep-alive: a part with an empty object, which clients ignore.
pub(super) const HEARTBEAT: &[u8] = b"\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql";

/// What makes the last boundary the end of the response.
pub(super) const END: &[u8] = b"--\r\n";

/// Appends one response. A payload may have line ends, but no text in JSON has one, so no boundary
/// can be inside.
pub(super) fn push_next(parts: &mut Vec<u8>, response: &[u8]) {
    parts.reserve(response.len() + 72);
    parts.extend_from_slice(b"\r\nContent-Type: application/json\r\n\r\n{\"payload\":");
    parts.extend_from_slice(response);
    parts.extend_from_slice(b"}\r\n--graphql");
}
