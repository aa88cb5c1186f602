//! Reads a whole request body, up to a limit that applies to chunked bodies too. Its time-out and
//! the budget of all bodies are in `server`.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::error::HttpError;
use super::server::BodyError;

/// How much of a body that is too large is read and discarded, and for how long. A sender that is
/// still writing when the connection closes may not see the response.
const DRAIN_BYTES_MAX: usize = 8 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a body of at most `limit` bytes. A larger one is an error, never truncated.
pub(super) async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::new();
    loop {
        match body.frame().await {
            None => return Ok(bytes),
            Some(Err(error)) => return Err(read_error(error)),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                if bytes.len() + data.len() > limit {
                    drain(body, bytes.len() + data.len()).await;
                    return Err(HttpError::BodyTooLarge(limit));
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}

fn read_error(error: axum::Error) -> HttpError {
    match error.into_inner().downcast_ref::<BodyError>() {
        Some(BodyError::Timeout) => HttpError::BodyTimeout,
        Some(BodyError::NoBudget) => HttpError::Unavailable,
        Some(BodyError::Interrupted(_)) | None => HttpError::BodyInterrupted,
    }
}

async fn drain(mut body: Body, mut read: usize) {
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    while read <= DRAIN_BYTES_MAX {
        match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => read += frame.data_ref().map_or(0, |data| data.len()),
            Ok(Some(Err(_)) | None) | Err(_) => return,
        }
    }
}
