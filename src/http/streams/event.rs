//! Encodes the events of `graphql-sse` in the event stream format of the HTML standard.

/// The keep-alive: a comment, which clients ignore.
pub(super) const KEEP_ALIVE: &[u8] = b":\n\n";

/// The end of an operation. It has an empty `data`, because browsers drop an event without one.
pub(super) const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

/// Appends one response, with the id from which a client resumes.
pub(super) fn push_next(event: &mut Vec<u8>, id: Option<&str>, response: &[u8]) {
    event.reserve(response.len() + id.map_or(0, str::len) + 32);
    event.extend_from_slice(b"event: next\n");
    if let Some(id) = id {
        event.extend_from_slice(b"id: ");
        event.extend_from_slice(id.as_bytes());
        event.push(b'\n');
    }
    // A payload may have line ends between its tokens. A client joins the lines with other line
    // ends, which changes only white space.
    for line in response.split(|byte| matches!(byte, b'\n' | b'\r')) {
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(line);
        event.push(b'\n');
    }
    event.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(id: Option<&str>, response: &[u8]) -> String {
        let mut event = Vec::new();
        push_next(&mut event, id, response);
        String::from_utf8(event).unwrap()
    }

    #[test]
    fn response_with_line_ends_becomes_data_lines() {
        assert_eq!(next(None, b"{}"), "event: next\ndata: {}\n\n");
        assert_eq!(
            next(Some("x"), b"{\"a\":\n1,\r\n\"b\":2}"),
            "event: next\nid: x\ndata: {\"a\":\ndata: 1,\ndata: \ndata: \"b\":2}\n\n"
        );
    }
}
